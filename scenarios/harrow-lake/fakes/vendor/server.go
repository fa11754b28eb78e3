package vendor

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Server is an instance of the vendor's system. It is an [http.Handler].
type Server struct {
	mux     *http.ServeMux
	latency time.Duration // each answer takes up to so long

	mu     sync.Mutex
	random *rand.Rand
	forms  map[string]string // pre-session cookie → CSRF field
	logins map[string]string // session cookie → user
	tokens map[string]string // bearer token → user
	renews map[string]string // refresh token → user
	orders map[string]*order
	number int
	order  []string // ids of orders as they came
	pages  map[string]int
	jobs   map[string]*job
	papers map[string]string // id of a document → its text
	ticket map[string]string // of an upload → user
	files  map[string]string
	soaps  map[string]string // SOAP session → user
}

type order struct {
	ID     string `json:"id"`
	Number int    `json:"number"`
	Owner  string `json:"owner"`
	Course string `json:"course"`
	Note   string `json:"note,omitempty"`
	tag    string
}

type job struct {
	order string
	owner string
	left  int // answers that say that it is not done
	paper string
}

// New starts an instance whose values follow from the seed. Each answer takes up to the latency, as it happens.
func New(seed uint64, latency time.Duration) *Server {
	s := &Server{
		mux: http.NewServeMux(), latency: latency, random: rand.New(rand.NewPCG(seed, 0x76656e646f72)),
		forms: map[string]string{}, logins: map[string]string{}, tokens: map[string]string{}, renews: map[string]string{},
		orders: map[string]*order{}, pages: map[string]int{}, jobs: map[string]*job{}, papers: map[string]string{},
		ticket: map[string]string{}, files: map[string]string{}, soaps: map[string]string{},
	}
	s.number = 100_000 + s.random.IntN(800_000)
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /login": s.form, "POST /login": s.login, "POST /oauth/token": s.token, "POST /oauth/revoke": s.revoke,
		"POST /orders": s.create, "GET /orders": s.list, "GET /orders/{id}": s.get, "PUT /orders/{id}": s.put, "DELETE /orders/{id}": s.remove,
		"GET /numbers/{number}": s.byNumber, "POST /jobs": s.start, "GET /jobs/{id}": s.poll, "GET /documents/{id}": s.document,
		"POST /uploads": s.upload, "POST /uploads/{ticket}": s.receive, "GET /files/{id}": s.file, "POST /soap": s.soap,
	} {
		s.mux.HandleFunc(pattern, handle)
	}
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.latency > 0 {
		s.mu.Lock()
		wait := time.Duration(s.random.Int64N(int64(s.latency)))
		s.mu.Unlock()
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mux.ServeHTTP(w, r)
}

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// text is a random text of n of the first so many letters of the alphabet: 16 are hexadecimal digits.
func (s *Server) text(n, letters int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.random.IntN(letters)]
	}
	return string(b)
}

func (s *Server) uuid() string {
	t := s.text(32, 16)
	return t[:8] + "-" + t[8:12] + "-4" + t[13:16] + "-a" + t[17:20] + "-" + t[20:]
}

func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client sees it
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

func (s *Server) form(w http.ResponseWriter, _ *http.Request) {
	before, field := s.text(24, 62), s.text(40, 16)
	s.forms[before] = field
	http.SetCookie(w, &http.Cookie{Name: "pre", Value: before, Path: "/", HttpOnly: true})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><body><form method=\"post\" action=\"/login\">\n<input type=\"hidden\" name=\"csrf\" value=\"%s\">\n"+
		"<input name=\"user\"><input name=\"password\" type=\"password\"><button>Sign in</button>\n</form></body></html>\n", field)
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	before, err := r.Cookie("pre")
	if err != nil || s.forms[before.Value] == "" || s.forms[before.Value] != r.PostFormValue("csrf") {
		refuse(w, http.StatusForbidden, "the form is not ours")
		return
	}
	delete(s.forms, before.Value)
	sid := s.uuid()
	s.logins[sid] = r.PostFormValue("user")
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: sid, Path: "/", HttpOnly: true})
	w.Header().Set("Location", "/orders")
	w.WriteHeader(http.StatusFound)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	user := ""
	switch r.PostFormValue("grant_type") {
	case "session":
		if sid, err := r.Cookie("sid"); err == nil {
			user = s.logins[sid.Value]
		}
	case "refresh_token":
		old := r.PostFormValue("refresh_token")
		user = s.renews[old]
		delete(s.renews, old)
		for token, owner := range s.tokens {
			if owner == user {
				delete(s.tokens, token)
			}
		}
	}
	if user == "" {
		refuse(w, http.StatusUnauthorized, "invalid_grant")
		return
	}
	access, renew := s.text(43, 62), s.text(32, 62)
	s.tokens[access], s.renews[renew] = user, user
	answer(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": renew})
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if _, known := s.renews[r.PostFormValue("token")]; !known {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	delete(s.renews, r.PostFormValue("token"))
	w.WriteHeader(http.StatusOK)
}

// user is whom the bearer token belongs to; when it is nobody's, the request is refused.
func (s *Server) user(w http.ResponseWriter, r *http.Request) (string, bool) {
	user, known := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !known {
		refuse(w, http.StatusUnauthorized, "no valid token")
	}
	return user, known
}
