package storefront

import (
	"strings"
	"sync"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

// windowTime is how long the shop window stays as it is. Categories and sellers change rarely,
// and are on every page.
const windowTime = 5 * time.Second

// window is what the shop shows on every page, kept for a moment.
type window struct {
	mu   sync.Mutex
	at   clock.Time
	seen *sight // never changed, only replaced
}

// sight is what one sees through the shop window.
type sight struct {
	categories []catalog.Category
	byPath     map[string]catalog.Category // with the hue that it inherits
	sellers    []catalog.Seller            // the first by name
	more       bool                        // there are further sellers
}

// kept is what was seen last, and whether that is fresh.
func (w *window) kept(now clock.Time) (*sight, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		return &sight{}, false
	}
	return w.seen, now.Sub(w.at) < windowTime
}

func (w *window) keep(s *sight, now clock.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.seen = now, s
}

// look reads the shop window. When catalog does not answer, the old one is better than none.
func (v *visit) look() *sight {
	old, fresh := v.window.kept(v.Now())
	if fresh {
		return old
	}
	tree, err := v.Catalog.ListCategories(v.ctx(), catalog.ListCategoriesRequest{})
	if err != nil {
		v.warn(err, "page shown with old categories")
		return old
	}
	seen := &sight{categories: tree.Categories, byPath: byPath(tree.Categories)}
	shops, err := v.Catalog.ListSellers(v.ctx(), catalog.ListSellersRequest{
		By: actor.Nobody(), Status: catalog.SellerApproved, Page: page.Request{Limit: catalog.MaxPage},
	})
	if err != nil {
		v.warn(err, "page shown with old sellers")
		return &sight{categories: seen.categories, byPath: seen.byPath, sellers: old.sellers, more: old.more}
	}
	seen.sellers, seen.more = shops.Sellers, shops.Next != ""
	v.window.keep(seen, v.Now())
	return seen
}

// byPath is the categories by path, each with its hue or the one that it inherits.
func byPath(categories []catalog.Category) map[string]catalog.Category {
	out := make(map[string]catalog.Category, len(categories))
	for _, c := range categories { // parents come before children
		if c.Hue == 0 {
			c.Hue = out[parentPath(c.Path)].Hue
		}
		out[c.Path] = c
	}
	return out
}

// parentPath is the path of the category above; "" for a root.
func parentPath(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)]
}

// maxDepartments is how many links the strip below the search box takes.
const maxDepartments = 12

// departments is the top of the category tree.
func (s *sight) departments(here string) []views.Link {
	path, _, _ := strings.Cut(here, "?")
	var links []views.Link
	for _, c := range s.categories {
		if c.Depth != 0 || len(links) == maxDepartments {
			continue
		}
		url := categoryURL(c.Path)
		links = append(links, views.Link{Text: c.Name, URL: url, Current: path == url || strings.HasPrefix(path, url+"/")})
	}
	return links
}

// crumbs are the links to the categories above a path, and to itself if asked for.
func (s *sight) crumbs(path string, itself bool) []views.Link {
	var links []views.Link
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '/' || i == len(path) && !itself {
			continue
		}
		if c, ok := s.byPath[path[:i]]; ok {
			links = append(links, views.Link{Text: c.Name, URL: categoryURL(c.Path)})
		}
	}
	return links
}

// children are the categories right below a path; "" for the roots.
func (s *sight) children(path string) []catalog.Category {
	var out []catalog.Category
	for _, c := range s.categories {
		if c.Path != "" && parentPath(c.Path) == path {
			out = append(out, c)
		}
	}
	return out
}

// overTLS is where a picture is asked for: ContentPolicy lets none come in the clear, and feeds of years ago
// say http of hosts that have TLS by now. One that has none is a tile, as it would be anyway.
func overTLS(url string) string {
	if rest, clear := strings.CutPrefix(url, "http://"); clear {
		return "https://" + rest
	}
	return url
}

// picture is the image of goods over the tile of their category.
func (s *sight) picture(url, path, title string) views.Picture {
	kind := path
	if kind == "" {
		kind = title
	}
	return views.Picture{URL: overTLS(url), Tile: views.Tile{Hue: int(s.byPath[path].Hue), Kind: kind, Title: title}}
}
