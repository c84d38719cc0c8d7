package paymentssvc

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

const noon clock.Time = 1_767_268_800_000

func eur(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }

func ref(prefix string) id.Ref { return id.Ref(id.New(prefix)) }

// at is a payment of €30 that stands at a status.
func at(status payments.Status) *payment {
	p := newPayment(payments.PaymentIDs.New(), payments.AuthorizeRequest{
		By: actor.System(""), Key: "k", Order: ref("ord_"), Amount: eur(3000), Method: "sandbox_ok", Until: noon.Add(time.Hour),
	}, noon)
	p.Status = status
	if status == payments.StatusAuthorised || status == payments.StatusCaptured {
		p.Authorised = p.Amount
	}
	if status == payments.StatusCaptured {
		p.Captured, p.capture = p.Amount, stageDone
	}
	return p
}

var statuses = []payments.Status{
	payments.StatusAuthorising, payments.StatusActionRequired, payments.StatusPending, payments.StatusAuthorised,
	payments.StatusDeclined, payments.StatusVoided, payments.StatusCaptured, payments.StatusNothingDue,
}

func TestEveryAnswerAtEveryStatus(t *testing.T) {
	t.Parallel()
	answers := []provider.State{provider.Done, provider.Taken, provider.Declined, provider.Gone, provider.Action, provider.Pending}
	waiting := map[provider.State]payments.Status{
		provider.Done: payments.StatusAuthorised, provider.Taken: payments.StatusAuthorised,
		provider.Declined: payments.StatusDeclined, provider.Gone: payments.StatusDeclined,
		provider.Action: payments.StatusActionRequired, provider.Pending: payments.StatusPending,
	}
	for _, from := range statuses {
		for _, answer := range answers {
			p := at(from)
			before := *p
			what, err := p.hear(provider.Outcome{State: answer, URL: map[bool]string{true: "/approve"}[answer == provider.Action], Until: noon.Add(2 * time.Hour)}, noon)
			require.NoError(t, err, "%s at %s", answer, from)
			money := answer == provider.Done || answer == provider.Taken
			switch {
			case slices.Contains([]payments.Status{payments.StatusAuthorising, payments.StatusActionRequired, payments.StatusPending}, from):
				assert.Equal(t, waiting[answer], p.Status, "%s at %s", answer, from)
				assert.False(t, p.Until.After(p.deadline), "waits no longer than wanted")
				assert.Equal(t, money, p.Authorised == p.Amount)
			case money && (from == payments.StatusDeclined || from == payments.StatusVoided):
				assert.Equal(t, giveBack, what, "%s at %s", answer, from)
			default:
				assert.Equal(t, nothing, what, "%s at %s", answer, from)
				assert.Equal(t, before, *p)
			}
		}
	}
	_, err := at(payments.StatusAuthorising).hear(provider.Outcome{State: "perhaps"}, noon)
	require.Error(t, err)
}

func TestAnswersAfterGivingUpChangeNothing(t *testing.T) {
	t.Parallel()
	for _, from := range []payments.Status{payments.StatusAuthorising, payments.StatusActionRequired, payments.StatusPending} {
		p := at(from)
		p.giveUp()
		what, err := p.hear(provider.Outcome{State: provider.Done}, noon)
		require.NoError(t, err)
		assert.Equal(t, nothing, what)
		assert.Equal(t, from, p.Status)
	}
}

func TestUndo(t *testing.T) {
	t.Parallel()
	tests := map[payments.Status]struct {
		voids bool
		after payments.Status // once the provider has confirmed
	}{
		payments.StatusAuthorising:    {true, payments.StatusVoided},
		payments.StatusActionRequired: {true, payments.StatusVoided},
		payments.StatusPending:        {true, payments.StatusVoided},
		payments.StatusAuthorised:     {true, payments.StatusVoided},
		payments.StatusDeclined:       {false, payments.StatusDeclined},
		payments.StatusNothingDue:     {false, payments.StatusVoided},
	}
	for from, tt := range tests {
		p := at(from)
		voids, err := p.undo("why", noon)
		require.NoError(t, err)
		assert.Equal(t, tt.voids, voids, "%s", from)
		assert.True(t, p.Undone)
		_, err = p.voided(noon)
		require.NoError(t, err)
		assert.Equal(t, tt.after, p.Status, "%s", from)
		voids, err = p.undo("again", noon)
		require.NoError(t, err)
		assert.False(t, voids)
		assert.Equal(t, "why", p.undoneWhy)
	}
	_, err := at(payments.StatusCaptured).undo("", noon)
	require.ErrorIs(t, err, payments.ErrStatus)
	p := at(payments.StatusAuthorised)
	require.NoError(t, p.startCapture(eur(1)))
	_, err = p.undo("", noon)
	require.ErrorIs(t, err, payments.ErrStatus)
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	p := at(payments.StatusAuthorising)
	assert.False(t, p.expired(p.deadline-1))
	assert.True(t, p.expired(p.deadline))
	_, err := p.hear(provider.Outcome{State: provider.Pending, Until: noon.Add(time.Minute)}, noon)
	require.NoError(t, err)
	assert.True(t, p.expired(noon.Add(time.Minute)), "the provider's own time counts too")
	p.giveUp()
	assert.False(t, p.expired(p.deadline), "it is given up already")
	_, err = p.voided(noon)
	require.NoError(t, err)
	assert.Equal(t, payments.StatusDeclined, p.Status)
	assert.False(t, at(payments.StatusAuthorised).expired(noon.Add(time.Hour)))
	for _, final := range []payments.Status{payments.StatusDeclined, payments.StatusCaptured, payments.StatusNothingDue} {
		assert.False(t, at(final).expired(noon.Add(time.Hour)))
	}
}

// TestAmountsStayInOrder takes a payment through random calls of its rules.
func TestAmountsStayInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := at(payments.StatusAuthorised)
		setAside := []money.Money{}
		for range rapid.IntRange(1, 30).Draw(t, "calls") {
			amount := eur(rapid.Int64Range(1, 4000).Draw(t, "amount"))
			switch rapid.IntRange(0, 3).Draw(t, "call") {
			case 0:
				if p.startCapture(amount) == nil {
					require.NoError(t, p.taken(amount, noon))
				}
			case 1:
				if p.startRefund(amount) == nil {
					setAside = append(setAside, amount)
				}
			default:
				if len(setAside) > 0 {
					p.endRefund(setAside[0], rapid.Bool().Draw(t, "done"), noon)
					setAside = setAside[1:]
				}
			}
			assert.GreaterOrEqual(t, p.Refunded.Minor, int64(0))
			assert.GreaterOrEqual(t, p.refunding, int64(0))
			assert.LessOrEqual(t, p.Refunded.Minor+p.refunding, p.Captured.Minor)
			assert.LessOrEqual(t, p.Captured.Minor, p.Authorised.Minor)
			assert.LessOrEqual(t, p.Authorised.Minor, p.Amount.Minor)
		}
	})
}

func TestRetriesSlowDown(t *testing.T) {
	t.Parallel()
	assert.Equal(t, noon.Add(firstRetry), retryAt(noon, noon))
	assert.Equal(t, noon.Add(20*time.Second), retryAt(noon, noon.Add(10*time.Second)))
	assert.Equal(t, noon.Add(time.Hour+longestRetry), retryAt(noon, noon.Add(time.Hour)))
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/": true, "/checkout/x?y=1": true, "//evil.example": false, "https://evil.example": false, `/\evil.example`: false,
		"": false, "checkout": false, "/a b": false, "/a\r\nSet-Cookie: x": false, "javascript:alert(1)": false,
	} {
		assert.Equal(t, want, localPath(path), path)
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("pay_01k5xk3v8dtq6c9m4j0e7r2a1b:authorise")
	f.Add("pay_01k5xk3v8dtq6c9m4j0e7r2a1b:refund:rfd_01k5xk3v8dtq6c9m4j0e7r2a1b")
	f.Add(":")
	f.Fuzz(func(t *testing.T, key string) {
		pid, st, err := parseKey(key)
		if err == nil {
			assert.Equal(t, key, providerKey(pid, st))
			assert.True(t, payments.PaymentIDs.Valid(pid))
		}
	})
}
