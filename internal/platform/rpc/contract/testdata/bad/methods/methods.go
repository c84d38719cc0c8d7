// Package methods has methods of the wrong shape.
package methods

import "context"

type Base interface{}

type Service interface { // want "embeds another interface"
	Base

	NoContext(r KeyedRequest) (Reply, error)                            // want "has another shape"
	NoError(ctx context.Context, r KeyedRequest) Reply                  // want "has another shape"
	Many(ctx context.Context, r ...KeyedRequest) (Reply, error)         // want "has another shape"
	ErrorFirst(ctx context.Context, r KeyedRequest) (error, Reply)      // want "has another shape"
	Pointer(ctx context.Context, r *KeyedRequest) (Reply, error)        // want "the request of Pointer is *KeyedRequest and not a struct with a name"
	Scalar(ctx context.Context, r KeyedRequest) (string, error)         // want "the reply of Scalar is string"
	Unnamed(ctx context.Context, r struct{ Key string }) (Reply, error) // want "the request of Unnamed"
	Keyless(ctx context.Context, r KeylessRequest) (Reply, error)       // want "is a command, and its request KeylessRequest has no field Key"
	BadKey(ctx context.Context, r BadKeyRequest) (Reply, error)         // want "has no field Key"
	hidden(ctx context.Context, r KeyedRequest) (Reply, error)          // want "is not exported"

	// rpc:read // want "a directive has no space before it"
	Spaced(ctx context.Context, r KeyedRequest) (Reply, error)

	//rpc:reed // want "there is no directive //rpc:reed"
	Misspelt(ctx context.Context, r KeyedRequest) (Reply, error)

	//rpc:read now // want "stands alone"
	Chatty(ctx context.Context, r KeyedRequest) (Reply, error)

	// Fine is a read.
	//
	//rpc:read
	Fine(ctx context.Context, r KeylessRequest) (Reply, error)
}

type KeyedRequest struct {
	Key string `json:"key"`
}

type KeylessRequest struct{}

// want+2 "not in the comment of a method"
//
//rpc:read
type Elsewhere struct{}

type BadKeyRequest struct {
	Key []byte `json:"key"`
}

type Reply struct{}
