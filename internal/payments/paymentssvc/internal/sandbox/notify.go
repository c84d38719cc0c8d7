package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"souk/internal/payments/paymentssvc/internal/provider"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
)

// The sandbox's own future work.
const (
	jobResolve = "sandbox.resolve" // a pending charge comes to its outcome
	jobNotify  = "sandbox.notify"  // a notification is sent
)

// notice is a notification as it is sent.
type notice struct {
	ID     string     `json:"id"`
	Charge string     `json:"charge"`
	SentAt clock.Time `json:"sent_at"`
}

// Handle has the sandbox's work done by r, and its notifications delivered by deliver, which
// is what a merchant's HTTP handler would do.
func (s *Sandbox) Handle(r *job.Runner, deliver func(ctx context.Context, body []byte, signature string) error) {
	r.Handle(jobResolve, func(ctx context.Context, j job.Job) error { return s.resolve(ctx, j.Key) })
	r.Handle(jobNotify, func(ctx context.Context, j job.Job) error { return s.send(ctx, j.Key, deliver) })
}

// resolve brings a pending charge to its outcome.
func (s *Sandbox) resolve(ctx context.Context, key string) error {
	copies := s.plan.Notify()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		row, err := selectCharge(tx, key)
		if err != nil || row.State != statePending {
			return err
		}
		if row.Method == MethodLaterDeclined {
			return s.change(tx, row, stateDeclined, reasonBank, copies)
		}
		return s.change(tx, row, stateAuthorised, "", copies)
	})
}

// change takes a charge elsewhere and has the merchant notified.
func (s *Sandbox) change(tx *store.Tx, row chargeRow, to state, reason string, copies []time.Duration) error {
	_, err := tx.Exec(`UPDATE sandbox_charges SET state = ?, reason = ?, changed_at = ? WHERE key = ?`, to, reason, s.now(), row.Key)
	if err != nil {
		return err
	}
	return s.notify(tx, row.Key, copies)
}

// notify has the merchant told of a charge, each time that the plan says: it was asked before, since a Write may run again.
func (s *Sandbox) notify(tx *store.Tx, key string, copies []time.Duration) error {
	var change int64
	if err := tx.Get(&change, `UPDATE sandbox_charges SET changes = changes + 1 WHERE key = ? RETURNING changes`, key); err != nil {
		return err
	}
	for i, after := range copies {
		if err := tx.Enqueue(jobNotify, fmt.Sprintf("%s#%d#%d", key, change, i+1), s.now().Add(after)); err != nil {
			return err
		}
	}
	return nil
}

// send delivers a notification. All copies of one have the same id.
func (s *Sandbox) send(ctx context.Context, key string, deliver func(ctx context.Context, body []byte, signature string) error) error {
	parts := strings.Split(key, "#")
	if len(parts) != 3 {
		return job.Dead(fmt.Errorf("%q does not name a notification", key))
	}
	sum := sha256.Sum256([]byte(parts[0] + "#" + parts[1]))
	body, err := json.Marshal(notice{ID: "evt_" + hex.EncodeToString(sum[:12]), Charge: parts[0], SentAt: s.now()})
	if err != nil {
		return err
	}
	secret, err := s.secret(ctx)
	if err != nil {
		return err
	}
	err = deliver(ctx, body, Sign(secret, body))
	if errs.Refused(err) {
		return job.Dead(err)
	}
	return err
}

// Sign is the signature of a body: "v1=" and its HMAC-SHA256 in hex.
func Sign(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Secret is what notifications of this installation are signed with.
func (s *Sandbox) Secret(ctx context.Context) ([]byte, error) { return s.secret(ctx) }

func (s *Sandbox) secret(ctx context.Context) ([]byte, error) {
	var secret []byte
	err := s.db.Read(ctx, func(q store.Queryer) error {
		return q.Get(&secret, `SELECT secret FROM sandbox_install WHERE one = 1`)
	})
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's secret: %w", err)
	}
	return secret, nil
}

// maxNotice bounds what is read of a notification.
const maxNotice = 4 << 10

// Notification reads what the sandbox sent.
func (s *Sandbox) Notification(ctx context.Context, body []byte, signature string) (provider.Notification, error) {
	secret, err := s.secret(ctx)
	if err != nil {
		return provider.Notification{}, err
	}
	if !hmac.Equal([]byte(Sign(secret, body)), []byte(signature)) {
		return provider.Notification{}, provider.ErrSignature
	}
	return parseNotice(body)
}

func parseNotice(body []byte) (provider.Notification, error) {
	var n notice
	if len(body) > maxNotice {
		return provider.Notification{}, errors.New("the notification has " + strconv.Itoa(len(body)) + " bytes")
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return provider.Notification{}, err
	}
	if n.ID == "" || len(n.ID) > 64 || n.Charge == "" {
		return provider.Notification{}, errors.New("the notification does not say what it is about")
	}
	return provider.Notification{ID: n.ID, Charge: n.Charge}, nil
}
