package searchsvc_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// TestWhatHasMostOfTheWordsComesAfterTheFewThatHaveAll looks for android tablets where there are
// few, some other tablets, and very many other things of android.
func TestWhatHasMostOfTheWordsComesAfterTheFewThatHaveAll(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	add := func(n int, title string) {
		for i := range n {
			goods.AddListing(by.ID, catalogtest.Draft(fmt.Sprintf("%s No%d", title, i), int64(1000+i), 1))
		}
	}
	add(3, "Android tablet")
	add(4, "Drawing tablet")
	add(40, "Android phone")
	add(12, "Wool rug red")
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	ask := func(r search.QueryRequest) search.QueryReply {
		t.Helper()
		reply, err := b.Query(t.Context(), r)
		require.NoError(t, err)
		return reply
	}

	reply := ask(search.QueryRequest{Text: "android tablet"})
	assert.EqualValues(t, 7, reply.Total, "android says little: its other things are not what is looked for")
	assert.True(t, reply.AnyWord)
	for i, hit := range reply.Hits {
		want := "Android tablet"
		if i >= 3 {
			want = "Drawing tablet"
		}
		assert.Contains(t, hit.Title, want)
	}
	paged, cursor := []string{}, ""
	for {
		next := ask(search.QueryRequest{Text: "android tablet", Page: page.Request{Limit: 2, Cursor: cursor}})
		assert.EqualValues(t, 7, next.Total)
		for _, hit := range next.Hits {
			paged = append(paged, hit.Title)
		}
		if cursor = next.Next; cursor == "" {
			break
		}
	}
	assert.Equal(t, b.titles(t, "android tablet"), paged)

	reply = ask(search.QueryRequest{Text: "android tablet", Sort: search.SortPriceUp})
	assert.EqualValues(t, 3, reply.Total, "what has less would come between")
	assert.False(t, reply.AnyWord)
	reply = ask(search.QueryRequest{Text: "wool rug"})
	assert.EqualValues(t, 12, reply.Total, "they are enough")
	assert.False(t, reply.AnyWord)
	reply = ask(search.QueryRequest{Text: "drawing zither"})
	assert.EqualValues(t, 4, reply.Total, "nobody has both")
	assert.True(t, reply.AnyWord)
}
