package catalogsvc

import "souk/internal/platform/httpx"

type encodedListing struct{}

func (s *Service) routes(api httpx.API) {}
