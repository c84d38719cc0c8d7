package storefront

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"souk/internal/storefront/views"
)

// Assets are the files beside the pages. Each is served under a name that holds the hash of
// its content, for ever: a changed file has another name.
type Assets struct {
	files fs.FS
	fresh bool // read again for every request
	byKey map[string]asset
}

type asset struct {
	kind    string // content type
	hash    string
	plain   []byte
	gzipped func() []byte // gives nil where that saves nothing; packs when first asked, which is not at the start
}

func newAssets(files fs.FS, fresh bool) (*Assets, error) {
	a := &Assets{files: files, fresh: fresh, byKey: map[string]asset{}}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	for _, entry := range entries {
		if a.byKey[entry.Name()], err = a.read(entry.Name()); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *Assets) read(name string) (asset, error) {
	plain, err := fs.ReadFile(a.files, path.Join("assets", name))
	if err != nil {
		return asset{}, fmt.Errorf("read asset: %w", err)
	}
	sum := sha256.Sum256(plain)
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	return asset{
		kind: kind, hash: hex.EncodeToString(sum[:6]), plain: plain,
		gzipped: sync.OnceValue(func() []byte { return packed(plain) }),
	}, nil
}

// packed is what gzip makes of it; nil where that saves nothing.
func packed(plain []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(plain) // into memory
	_ = z.Close()
	if out.Len() >= len(plain) {
		return nil
	}
	return out.Bytes()
}

func (a *Assets) get(name string) (asset, error) {
	file, ok := a.byKey[name]
	if !ok {
		return asset{}, fmt.Errorf("there is no asset %q", name)
	}
	if a.fresh {
		return a.read(name)
	}
	return file, nil
}

// URL is the address of an asset: "souk.css" is at /assets/souk.3fa9c1d20b7e.css.
func (a *Assets) URL(name string) (string, error) {
	file, err := a.get(name)
	if err != nil {
		return "", err
	}
	ext := path.Ext(name)
	return views.PathAssetPrefix + strings.TrimSuffix(name, ext) + "." + file.hash + ext, nil
}

// ServeHTTP answers with an asset. A name without the hash works too, but is looked at again
// every time.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked := strings.TrimPrefix(r.URL.Path, views.PathAssetPrefix)
	ext := path.Ext(asked)
	stem, hash := strings.TrimSuffix(asked, ext), ""
	if i := strings.LastIndexByte(stem, '.'); i > 0 && a.byKey[asked].hash == "" {
		stem, hash = stem[:i], stem[i+1:]
	}
	file, err := a.get(stem + ext)
	if err != nil || hash != "" && hash != file.hash {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if hash != "" && !a.fresh {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := file.plain, `"`+file.hash+`"`
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		if packed := file.gzipped(); packed != nil {
			h.Set("Content-Encoding", "gzip")
			body, tag = packed, `"`+file.hash+`-gz"`
		}
	}
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the reader went away; there is nobody to tell
	}
}
