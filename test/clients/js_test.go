package clients

import (
	"os"
	"path/filepath"
	"testing"
)

// awsJS is aws-sdk-js v3 as test/clients/js pins it.
func awsJS() client {
	return client{name: "aws-sdk-js", open: func(t *testing.T, to target) session {
		script, err := filepath.Abs("js/driver.mjs")
		must(t, err)
		if _, err := os.Stat("js/node_modules/@aws-sdk/client-s3"); err != nil {
			missing(t, "aws-sdk-js (make client-programs)")
		}
		return startDriver(t, to, to.env("NODE_NO_WARNINGS=1"), program(t, "node"), script)
	}}
}
