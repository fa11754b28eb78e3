package vendor

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
)

func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(w, r)
	if !ok {
		return
	}
	var sent struct{ Order string }
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || s.orders[sent.Order] == nil {
		refuse(w, http.StatusBadRequest, "no such order")
		return
	}
	id := s.uuid()
	s.jobs[id] = &job{order: sent.Order, owner: user, left: 1 + s.random.IntN(3)}
	w.Header().Set("Location", "/jobs/"+id)
	answer(w, http.StatusAccepted, map[string]string{"job": id, "state": "queued"})
}

func (s *Server) poll(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(w, r)
	if !ok {
		return
	}
	id := r.PathValue("id")
	j := s.jobs[id]
	switch {
	case j == nil || j.owner != user:
		refuse(w, http.StatusNotFound, "no such job")
		return
	case j.left > 0:
		j.left--
		answer(w, http.StatusOK, map[string]any{"job": id, "state": "running", "document": nil})
		return
	case j.paper == "":
		j.paper = s.text(26, 36)
		s.papers[j.paper] = fmt.Sprintf("Confirmation\r\norder %s of %s\r\n", j.order, j.owner)
	}
	answer(w, http.StatusOK, map[string]any{"job": id, "state": "done", "document": j.paper})
}

func (s *Server) document(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.user(w, r); !ok {
		return
	}
	sendText(w, s.papers[r.PathValue("id")], "no such document")
}

func sendText(w http.ResponseWriter, text, missing string) {
	if text == "" {
		refuse(w, http.StatusNotFound, missing)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text) //nolint:errcheck // the client sees it
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(w, r)
	if !ok {
		return
	}
	ticket := s.text(30, 62)
	s.ticket[ticket] = user
	answer(w, http.StatusCreated, map[string]string{"ticket": ticket, "url": "/uploads/" + ticket})
}

// maxUpload is the largest upload, in bytes.
const maxUpload = 1 << 20

func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	ticket := r.PathValue("ticket")
	_, known := s.ticket[ticket]
	if !known || r.ParseMultipartForm(maxUpload) != nil || r.FormValue("ticket") != ticket {
		refuse(w, http.StatusForbidden, "no such ticket")
		return
	}
	f, _, err := r.FormFile("file")
	if err != nil {
		refuse(w, http.StatusBadRequest, "no file")
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxUpload))
	if err != nil {
		refuse(w, http.StatusBadRequest, "the file breaks off")
		return
	}
	delete(s.ticket, ticket)
	id := s.text(24, 16)
	s.files[id] = string(text)
	answer(w, http.StatusCreated, map[string]any{"file": id, "size": len(text)})
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.user(w, r); !ok {
		return
	}
	sendText(w, s.files[r.PathValue("id")], "no such file")
}

// envelope is the request of the SOAP service.
type envelope struct {
	Session string `xml:"Header>Session"`
	Open    *struct {
		User string `xml:"user"`
	} `xml:"Body>OpenSession"`
	Balance *struct {
		Order string `xml:"order"`
	} `xml:"Body>GetBalance"`
}

func (s *Server) soap(w http.ResponseWriter, r *http.Request) {
	var in envelope
	if err := xml.NewDecoder(io.LimitReader(r.Body, maxUpload)).Decode(&in); err != nil {
		s.fault(w, "Client", "no envelope")
		return
	}
	switch {
	case in.Open != nil:
		id := s.uuid()
		s.soaps[id] = in.Open.User
		s.say(w, http.StatusOK, "<OpenSessionResponse><sessionId>"+id+"</sessionId></OpenSessionResponse>")
	case s.soaps[in.Session] == "":
		s.fault(w, "Client.Session", "no such session")
	case in.Balance == nil || s.orders[in.Balance.Order] == nil:
		s.fault(w, "Client", "no such order")
	default:
		s.say(w, http.StatusOK, fmt.Sprintf("<GetBalanceResponse><order>%s</order><amount>125.00</amount></GetBalanceResponse>", in.Balance.Order))
	}
}

func (s *Server) fault(w http.ResponseWriter, code, why string) {
	s.say(w, http.StatusInternalServerError, "<soap:Fault><faultcode>"+code+"</faultcode><faultstring>"+why+"</faultstring></soap:Fault>")
}

func (s *Server) say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>%s</soap:Body></soap:Envelope>`, body)
}
