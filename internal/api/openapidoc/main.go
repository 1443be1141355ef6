// Command openapidoc prints the OpenAPI document of the API.
package main

import (
	"fmt"
	"os"

	"keystile/internal/api"
)

func main() {
	document, err := api.Document()
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapidoc:", err)
		os.Exit(1)
	}
}
