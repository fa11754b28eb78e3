package fakes

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/scenarios/harrow-lake/world"
)

// pageSize is the default page of the CRM's list: 2026.3 halves it and tells with a Link header that there is more.
var pageSize = map[string]int{world.CRMBefore: 100, world.CRMHotfix: 100, world.CRMAfter: 50}

// listed is one entry of the CRM's list.
type listed struct {
	ID        string `json:"id"`
	UpdatedAt string `json:"updated_at"`
}

// list answers one page of the applications that wait for the poll.
func list(release string, now func() time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, err := strconv.Atoi(r.URL.Query().Get("page"))
		if err != nil || page < 1 {
			page = 1
		}
		ids, size := world.WaitingApplications(), pageSize[release]
		from := min((page-1)*size, len(ids))
		to := min(from+size, len(ids))
		entries := []listed{}
		for _, id := range ids[from:to] {
			entries = append(entries, listed{id, instant(now())})
		}
		if to < len(ids) {
			w.Header().Set("Link", fmt.Sprintf(`<%s?page=%d>; rel="next"`, r.URL.Path, page+1))
		}
		answer(w, http.StatusOK, struct {
			Applications []listed `json:"applications"`
		}{entries})
	}
}

// nextPage finds the next page in a Link header (RFC 8288), as the CRM writes it.
var nextPage = regexp.MustCompile(`<(/[^>]*)>; rel="next"`)

// poll is the safety net behind the webhooks: it asks the CRM for what waits. Unless it is told to follow links, it
// asks once: the bug that the upgrade brings to light.
func (h *hubline) poll(w http.ResponseWriter, r *http.Request) {
	read, at := 0, h.crmURL+"/api/v2/applications"
	for at != "" {
		var page struct {
			Applications []listed `json:"applications"`
		}
		head, failed := call(r.Context(), h.client, stepRead, "GET", at, nil, &page)
		if failed != nil {
			answer(w, http.StatusBadGateway, struct {
				Status     string `json:"status"`
				Step       string `json:"step"`
				StatusCode int    `json:"status_code"`
			}{"failed", failed.step, failed.status})
			return
		}
		read += len(page.Applications)
		next := nextPage.FindStringSubmatch(head.Get("Link"))
		if at = ""; h.followLinks && next != nil {
			at = h.crmURL + next[1]
		}
	}
	answer(w, http.StatusOK, struct {
		Status string `json:"status"`
		Read   int    `json:"read"`
	}{"polled", read})
}
