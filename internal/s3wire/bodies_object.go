package s3wire

import (
	"slices"
	"strconv"
	"time"
)

// CanonicalLegalHold checks a PutObjectLegalHold body strictly and writes it
// anew.
func CanonicalLegalHold(body []byte) ([]byte, error) {
	f, err := rootFields(body, "LegalHold", "Status")
	if err != nil || f["Status"] != "ON" && f["Status"] != "OFF" {
		return nil, malformed(err)
	}
	doc := &document{}
	doc.open("LegalHold", xmlNamespace)
	doc.text("Status", f["Status"])
	doc.close("LegalHold")
	return doc.bytes(), nil
}

// CanonicalRetention checks a PutObjectRetention body strictly and writes it
// anew. One without mode and date takes the retention away.
func CanonicalRetention(body []byte) ([]byte, error) {
	f, err := rootFields(body, "Retention", "Mode", "RetainUntilDate")
	if err != nil {
		return nil, malformed(err)
	}
	doc := &document{}
	doc.open("Retention", xmlNamespace)
	if mode := f["Mode"]; mode != "" || f["RetainUntilDate"] != "" {
		until, err := time.Parse(time.RFC3339Nano, f["RetainUntilDate"])
		if err != nil || mode != "GOVERNANCE" && mode != "COMPLIANCE" {
			return nil, malformed(err)
		}
		doc.text("Mode", mode)
		doc.text("RetainUntilDate", until.UTC().Format(time.RFC3339Nano))
	}
	doc.close("Retention")
	return doc.bytes(), nil
}

var restoreTiers = []string{"Standard", "Bulk", "Expedited"}

// CanonicalRestore checks a RestoreObject body strictly and writes it anew. A
// restore that selects, or writes its result to a bucket of its own choice, is
// NotImplemented.
func CanonicalRestore(body []byte) ([]byte, error) {
	root, err := parseXML(body, strict)
	if err != nil || root.name != "RestoreRequest" {
		return nil, malformed(err)
	}
	var days, tier, description string
	seen := map[string]bool{}
	for _, c := range root.children {
		if seen[c.name] {
			return nil, malformed(nil)
		}
		seen[c.name] = true
		switch {
		case c.name == "Days" && isPositive(c.text):
			days = c.text
		case c.name == "Description" && len(c.children) == 0:
			description = c.text
		case c.name == "Tier" && tier == "" && slices.Contains(restoreTiers, c.text):
			tier = c.text
		case c.name == "GlacierJobParameters" && tier == "":
			f, err := c.fields("Tier")
			if err != nil || !slices.Contains(restoreTiers, f["Tier"]) {
				return nil, malformed(err)
			}
			tier = f["Tier"]
		case c.name == "Type" || c.name == "SelectParameters" || c.name == "OutputLocation":
			return nil, NotImplemented.With("A restore that selects from the object is not supported here.")
		default:
			return nil, malformed(nil)
		}
	}
	return writeRestore(days, tier, description), nil
}

func writeRestore(days, tier, description string) []byte {
	doc := &document{}
	doc.open("RestoreRequest", xmlNamespace)
	doc.optional("Days", days)
	if tier != "" {
		doc.open("GlacierJobParameters", "")
		doc.text("Tier", tier)
		doc.close("GlacierJobParameters")
	}
	doc.optional("Description", description)
	doc.close("RestoreRequest")
	return doc.bytes()
}

func isPositive(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && s == strconv.Itoa(n)
}

// rootFields reads a document that is one element with scalars in it.
func rootFields(body []byte, root string, names ...string) (map[string]string, error) {
	n, err := parseXML(body, strict)
	if err != nil {
		return nil, err
	}
	if n.name != root {
		return nil, errXML
	}
	return n.fields(names...)
}
