package searchsvc_test

import (
	"souk/internal/platform/audit"
	"souk/internal/platform/page"
)

func pageOf(limit int32) page.Request { return page.Request{Limit: limit} }

var auditRequest = audit.Request{}
