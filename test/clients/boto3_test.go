package clients

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// boto3 is the Python SDK, in whichever Python has it.
func boto3(name, python string) client {
	return client{name: name, open: func(t *testing.T, to target) session {
		path := program(t, python)
		if exec.Command(path, "-c", "import boto3").Run() != nil {
			missing(t, "boto3 of "+python)
		}
		script, err := filepath.Abs("testdata/boto3_driver.py")
		must(t, err)
		return startDriver(t, to, to.env(), path, script)
	}}
}
