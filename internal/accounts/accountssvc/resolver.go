package accountssvc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
)

// hashOf is what is kept of a secret.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Resolver finds out for httpx who is asking, from this service.
func (s *Service) Resolver() httpx.Resolver { return Resolver(s) }

// Resolver finds out for httpx who is asking, from svc: the holder of a session or token,
// acting for the seller that it asks for. A cookie that is no good any more is nobody's; a
// token that is no good is refused.
func Resolver(svc accounts.Service) httpx.Resolver {
	return func(ctx context.Context, r *http.Request) (actor.Actor, error) {
		proof, secret := httpx.Credential(r)
		ask := accounts.ResolveRequest{Seller: catalog.SellerID(httpx.SellerAsked(r))}
		switch proof {
		case httpx.BySession:
			ask.Session = hashOf(secret)
		case httpx.ByToken:
			ask.Token = hashOf(secret)
		case httpx.ByNothing:
			return actor.Nobody(), nil
		default:
			return actor.Nobody(), nil
		}
		reply, err := svc.Resolve(ctx, ask)
		switch {
		case err == nil:
			return reply.Actor, nil
		case errors.Is(err, accounts.ErrSession) && proof == httpx.BySession:
			return actor.Nobody(), nil
		case errors.Is(err, accounts.ErrSession):
			return actor.Nobody(), httpx.ErrUnauthenticated.With("this token is not good, or not any more")
		default:
			return actor.Nobody(), err
		}
	}
}

// tokenPrefix makes tokens recognisable where they should not be: in a public repository.
const tokenPrefix = "souk_"

// derive makes a secret that comes out the same when the same request is repeated, and that
// nobody can make without key. What a database keeps of it, its hash, does not give it away.
func derive(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part))
		mac.Write(sum[:])
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
