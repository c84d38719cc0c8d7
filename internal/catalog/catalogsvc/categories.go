package catalogsvc

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/store"
)

// tree keeps the categories in memory, under the same rule as cache: what was read before a
// drop is not kept after it. As the cache it stands on one process writing the database.
type tree struct {
	none  bool // nothing is kept
	mu    sync.Mutex
	drops int64
	all   []catalog.Category
	kept  bool
}

func (t *tree) get() (all []catalog.Category, kept bool, drops int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all, t.kept, t.drops
}

func (t *tree) put(all []catalog.Category, drops int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.drops == drops && !t.none {
		t.all, t.kept = all, true
	}
}

func (t *tree) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drops++
	t.all, t.kept = nil, false
}

// PutCategory makes a category with all above it, or renames it.
func (s *Service) PutCategory(ctx context.Context, r catalog.PutCategoryRequest) (_ catalog.CategoryReply, err error) {
	defer s.done("put_category", &err)
	if err := r.Validate(); err != nil {
		return catalog.CategoryReply{}, err
	}
	if !seesAll(r.By) {
		return catalog.CategoryReply{}, catalog.ErrForbidden.With("only operators may do this")
	}
	by, key := r.By, r.Key
	r.By, r.Key = actor.Actor{}, ""
	return once(ctx, s, command{By: by, Operation: "catalog.put_category", Key: key, Body: r}, func(w *work) (string, error) {
		last, changed, err := w.putCategory(r.Names, r.Hue, true)
		if err != nil {
			return "", err
		}
		if !changed {
			return last.Path, nil
		}
		return last.Path, w.Audit(store.Audit{By: by, Action: "catalog.put_category", Subject: string(last.ID), After: last.Path + ": " + last.Name})
	}, func(w *work, path string) (catalog.CategoryReply, error) {
		at, err := selectCategories(w, ancestors(path))
		if err != nil {
			return catalog.CategoryReply{}, err
		}
		return catalog.CategoryReply{Category: at[path].category(at)}, nil
	})
}

// putCategory makes what is missing on the way down names, and renames the last if asked to.
func (w *work) putCategory(names []string, hue int32, rename bool) (last categoryRow, changed bool, err error) {
	path := catalog.CategoryPath(names)
	at, err := selectCategories(w, ancestors(path))
	if err != nil {
		return last, false, err
	}
	var parent catalog.CategoryID
	for depth := range names {
		name := strings.TrimSpace(names[depth])
		here := catalog.CategoryPath(names[:depth+1])
		row, found := at[here]
		next := row
		if !found {
			next = categoryRow{ID: w.ids.category(), Parent: parent, Path: here, Name: name, Depth: int32(depth)} //nolint:gosec // at most MaxDepth
		}
		if here == path && (rename || !found) {
			next.Name, next.Hue = name, cmp.Or(hue, next.Hue)
		}
		parent, last, at[here] = next.ID, next, next
		if next == row {
			continue
		}
		changed, w.tree = true, true
		if err := upsertCategory(w.Tx, next); err != nil {
			return last, false, err
		}
		if err := w.Publish(catalog.CategoryChanged{Category: next.category(at)}); err != nil {
			return last, false, err
		}
	}
	return last, changed, nil
}

// ancestors are the paths from the root down to path itself.
func ancestors(path string) []string {
	var all []string
	for i, c := range path {
		if c == '/' {
			all = append(all, path[:i])
		}
	}
	return append(all, path)
}

// category is the row with the hue that it inherits; at has at least what is above it. A root
// without a hue has one made of its path, so that every shelf has a colour of its own.
func (r categoryRow) category(at map[string]categoryRow) catalog.Category {
	c := catalog.Category{ID: r.ID, Parent: r.Parent, Path: r.Path, Name: r.Name, Depth: r.Depth, Hue: r.Hue}
	above := ancestors(r.Path)
	for i := len(above) - 1; i >= 0 && c.Hue == 0; i-- {
		c.Hue = at[above[i]].Hue
	}
	if c.Hue == 0 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(above[0])) // a hash never fails
		c.Hue = int32(h.Sum32()%359) + 1 //nolint:gosec // below 360
	}
	return c
}

// ListCategories reads the whole tree.
func (s *Service) ListCategories(ctx context.Context, _ catalog.ListCategoriesRequest) (catalog.ListCategoriesReply, error) {
	all, kept, drops := s.tree.get()
	if kept {
		return catalog.ListCategoriesReply{Categories: slices.Clone(all)}, nil
	}
	var at map[string]categoryRow
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		at, err = selectCategories(q, nil)
		return err
	})
	if err != nil {
		return catalog.ListCategoriesReply{}, err
	}
	all = inOrder(at)
	s.tree.put(all, drops)
	return catalog.ListCategoriesReply{Categories: slices.Clone(all)}, nil
}

// inOrder puts parents before children and siblings by name.
func inOrder(at map[string]categoryRow) []catalog.Category {
	below := map[catalog.CategoryID][]catalog.Category{}
	for _, row := range at {
		below[row.Parent] = append(below[row.Parent], row.category(at))
	}
	all := make([]catalog.Category, 0, len(at))
	var walk func(parent catalog.CategoryID)
	walk = func(parent catalog.CategoryID) {
		children := below[parent]
		slices.SortFunc(children, func(a, b catalog.Category) int {
			return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Path, b.Path))
		})
		for _, c := range children {
			all = append(all, c)
			walk(c.ID)
		}
	}
	walk("")
	return all
}
