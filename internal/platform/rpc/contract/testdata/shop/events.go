package shop

import "souk/internal/platform/clock"

// Sold says that a thing was sold.
type Sold struct {
	ThingID ThingID    `json:"thing_id"`
	Colour  Colour     `json:"colour"`
	At      clock.Time `json:"at"`
}

// EventName is its name.
func (Sold) EventName() string { return Log + ".sold.v1" }

// EventKey is its key.
func (e Sold) EventKey() string { return string(e.ThingID) }
