package bus

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Instrument has meter observe every subscriber of the bus: souk.events.lag (events still
// to come), souk.events.parked, and souk.events.following (0 while it is stopped, has
// lost its place or tries an event again). They are read when asked for, and cost nothing otherwise.
func (b *Bus) Instrument(meter metric.Meter) error {
	lag, err := meter.Int64ObservableGauge("souk.events.lag", metric.WithDescription("events that a subscriber has not passed yet"))
	if err != nil {
		return fmt.Errorf("instrument the bus: %w", err)
	}
	parked, err := meter.Int64ObservableGauge("souk.events.parked", metric.WithDescription("events that a subscriber could not apply and has put aside"))
	if err != nil {
		return fmt.Errorf("instrument the bus: %w", err)
	}
	following, err := meter.Int64ObservableGauge("souk.events.following", metric.WithDescription("1 while a subscriber follows its log, 0 while something stops it"))
	if err != nil {
		return fmt.Errorf("instrument the bus: %w", err)
	}
	_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		all, err := b.List(ctx)
		if err != nil {
			return err
		}
		for _, s := range all {
			labels := metric.WithAttributes(
				attribute.String("module", s.Module), attribute.String("subscriber", s.Subscriber), attribute.String("log", string(s.Log)))
			if s.Lag >= 0 {
				o.ObserveInt64(lag, s.Lag, labels)
			}
			o.ObserveInt64(parked, s.Parked, labels)
			follows := int64(0)
			if s.State == stateFollowing || s.State == "new" {
				follows = 1
			}
			o.ObserveInt64(following, follows, labels)
		}
		return nil
	}, lag, parked, following)
	if err != nil {
		return fmt.Errorf("instrument the bus: %w", err)
	}
	return nil
}
