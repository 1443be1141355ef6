package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"keystile/internal/adminops"
	"keystile/internal/keystile"
)

// reachAdmin makes the client of a Ceph's Admin Ops API. An endpoint that cannot
// be used leaves none.
func (b *Backend) reachAdmin(e Endpoint, dialer *Dialer, roots *x509.CertPool) {
	if b.info.Kind != keystile.KindCeph {
		return
	}
	b.adminSecret = e.AdminSecret
	u, err := url.Parse(b.info.AdminURL())
	if err != nil {
		return
	}
	client, err := adminops.New(adminops.Options{
		Endpoint: b.info.AdminURL(), Region: b.info.Region, AccessKeyID: b.info.AdminAccessKeyID, Secret: e.AdminSecret,
		Dial: dialer.DialContext, TLS: b.tls.config(strings.ToLower(u.Hostname()), roots), Now: b.now,
	})
	if err == nil {
		b.admin = client
	}
}

// Admin calls the Ceph's Admin Ops API; nil where there is none.
func (b *Backend) Admin() *adminops.Client { return b.admin }

// close ends all connections.
func (b *Backend) close() {
	b.client.Close()
	if b.admin != nil {
		b.admin.Close()
	}
}

// adminStep tries the Admin Ops API.
func (b *Backend) adminStep(ctx context.Context) keystile.TestStep {
	step := keystile.TestStep{Name: "admin"}
	if b.admin == nil {
		step.Message = "the endpoint of the Admin Ops API cannot be used"
		return step
	}
	found, err := b.admin.Check(ctx)
	switch {
	case errors.Is(err, adminops.ErrRefused):
		step.Message = "the Admin Ops API refuses the key: is it right, and is its clock?"
		if found.ClockSkew.Abs() > maxClockSkew {
			step.Message = fmt.Sprintf("the clock of the Admin Ops API is %s from ours", found.ClockSkew)
		}
	case err != nil:
		step.Message = "the Admin Ops API does not answer as one does"
	case len(found.Missing) > 0:
		step.Message, step.Mend = "the key lacks capabilities", found.Mend
		if found.UID == "" {
			step.Message += " (UID stands for the user whose key it is, which may not be asked)"
		}
	default:
		step.OK = true
		step.Message = "the Admin Ops API answers as user " + found.UID + ", " + release(found.Version)
		if found.ClockSkew != 0 {
			step.Message += fmt.Sprintf("; its clock is %s from ours", found.ClockSkew)
		}
	}
	return step
}

func release(name string) string {
	if name == "" {
		return "its release does not tell its name"
	}
	return "release " + name
}
