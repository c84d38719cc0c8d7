package searchsvc

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatRunsBesideMayPanic(t *testing.T) {
	t.Parallel()
	ran := false
	beside(func() { ran = true })()
	assert.True(t, ran)
	assert.PanicsWithValue(t, "lost", beside(func() { panic("lost") }))
}
