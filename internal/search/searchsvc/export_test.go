package searchsvc

// Limit bounds what a query looks at closely, and what facets count one by one.
func (s *Service) Limit(closely, counted int) { s.limits = limits{close: closely, counted: counted} }
