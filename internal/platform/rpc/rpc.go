// Package rpc is how modules speak to each other: the wire encoding of every contract, the
// strict wrapper that puts it between two modules of one process, and the faults that a
// network would add.
//
// What a contract may say, and what is generated from it, is decided in rpc/contract;
// rpc/gen is its command. The generated packages (cartrpc, ordersrpc …) hold one line per
// method and leave the work to this package:
//
//	wire.go      Codec: the encoding, shared by strict wrapper, remote client and server
//	serve.go     the callee's half of a call: decode, ask, catch panics, encode
//	strict.go    the strict wrapper: encode, deliver with faults, decode
//	faults.go    what goes wrong on purpose
//	remote.go    the client for another process: tries, breaker, deadlines
//	exchange.go  one try over HTTP, and whether it may have been done
//	server.go    the other end of it
//	connect.go   which contracts may speak
//	describe.go  a contract described at run time
//
// # The encoding
//
// JSON, in which nil and empty mean the same: a nil slice travels as [], a nil map as {},
// and both arrive as nil, so that the zero value arrives as the zero value. A nil pointer
// is left out of its struct. Integers are whole and in range, times RFC 3339 with
// milliseconds, bytes base64, strings valid UTF-8 (anything else is refused, not mended).
// Field order is that of the struct and map keys are sorted, so equal values have equal
// bytes.
//
// A request is read strictly: a field that is not known is refused, since it could be a
// limit or an owner, and so are a request without a field that is not a pointer and a value
// that its enum does not know. Replies and events are read leniently: unknown fields are
// ignored, missing ones are zero, and a value that an enum does not know is read as its fallback.
package rpc
