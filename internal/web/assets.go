package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"strings"
)

// The build writes into dist; without one it holds nothing but .gitkeep.
//
//go:embed all:dist
var embedded embed.FS

// Built returns the dashboard that was built into the binary.
func Built() (fs.FS, error) { return fs.Sub(embedded, "dist") }

const (
	indexFile = "index.html"
	// assetsDir holds files whose names change with their content.
	assetsDir = "assets/"
	// worthGzip is the size in bytes from which compression pays.
	worthGzip = 1 << 10
)

// asset is a file, ready to be sent.
type asset struct {
	kind    string
	plain   []byte
	gzipped []byte // nil: not worth it
}

// load reads every file of a build except its index and hidden ones.
func load(build fs.FS) (map[string]asset, error) {
	assets := map[string]asset{}
	err := fs.WalkDir(build, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == indexFile || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		content, err := fs.ReadFile(build, name)
		if err != nil {
			return err
		}
		assets["/"+name], err = newAsset(name, content)
		return err
	})
	return assets, err
}

// types are those of the files that a build has. The table of the machine is
// not asked: its answers differ from one to the next.
var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png", ".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2",
}

func newAsset(name string, content []byte) (asset, error) {
	kind, known := types[path.Ext(name)]
	if !known {
		return asset{}, fmt.Errorf("%s: no media type for %q", name, path.Ext(name))
	}
	a := asset{kind: kind, plain: content}
	if media, _, err := mime.ParseMediaType(kind); err != nil || len(content) < worthGzip || strings.HasPrefix(media, "font/") || media == "image/png" {
		return a, err
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		return asset{}, err
	}
	if err := w.Close(); err != nil {
		return asset{}, err
	}
	a.gzipped = out.Bytes()
	return a, nil
}
