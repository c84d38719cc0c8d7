package orderssvc

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"souk/internal/orders"
)

func waits(news <-chan struct{}) bool {
	select {
	case <-news:
		return false
	default:
		return true
	}
}

func TestNewsFromOtherProcessesHaveEverybodyLookOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &waiting{}
		w.look() // nobody waits
		one, leaveOne := w.join("ord_1")
		other, leaveOther := w.join("ord_2")
		began := time.Now()
		for range 3 {
			w.look()
		}
		<-one
		<-other
		assert.Equal(t, lookAfter, time.Since(began))
		leaveOne()
		leaveOther()
		assert.Empty(t, w.by)

		again, leave := w.join("ord_1") // not placed yet
		defer leave()
		assert.True(t, waits(again))
		w.look()
		<-again
		assert.Equal(t, 2*lookAfter, time.Since(began))
		w.tell(orders.OrderID("ord_1")) // nobody is left
	})
}
