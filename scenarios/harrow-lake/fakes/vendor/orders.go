package vendor

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(w, r)
	if !ok {
		return
	}
	o := &order{ID: "ord_" + s.text(14, 62), Number: s.number, Owner: user, tag: `"` + s.text(20, 16) + `"`}
	s.number += 1 + s.random.IntN(5)
	var sent struct{ Course, Note string }
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || sent.Course == "" {
		refuse(w, http.StatusBadRequest, "no course")
		return
	}
	o.Course, o.Note = sent.Course, sent.Note
	s.orders[o.ID], s.order = o, append(s.order, o.ID)
	w.Header().Set("Location", "/orders/"+o.ID)
	w.Header().Set("ETag", o.tag)
	answer(w, http.StatusCreated, o)
}

// pageSize is how many orders a page holds.
const pageSize = 3

// list is a page of the user's orders, and the cursor of the next one.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(w, r)
	if !ok {
		return
	}
	from := 0
	if after := r.FormValue("after"); after != "" {
		if from, ok = s.pages[after]; !ok {
			refuse(w, http.StatusBadRequest, "no such cursor")
			return
		}
	}
	page := struct {
		Orders []*order `json:"orders"`
		Next   *string  `json:"next"`
	}{Orders: []*order{}}
	for i, id := range s.order[from:] {
		o := s.orders[id]
		if o == nil || o.Owner != user {
			continue
		}
		if len(page.Orders) == pageSize {
			cursor := s.text(36, 62)
			s.pages[cursor] = from + i
			page.Next = &cursor
			break
		}
		page.Orders = append(page.Orders, o)
	}
	answer(w, http.StatusOK, page)
}

// find is the user's order of the path.
func (s *Server) find(w http.ResponseWriter, r *http.Request) (*order, bool) {
	user, ok := s.user(w, r)
	if !ok {
		return nil, false
	}
	o := s.orders[r.PathValue("id")]
	if o == nil || o.Owner != user {
		refuse(w, http.StatusNotFound, "no such order")
		return nil, false
	}
	return o, true
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	o, ok := s.find(w, r)
	if !ok {
		return
	}
	w.Header().Set("ETag", o.tag)
	if r.Header.Get("If-None-Match") == o.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	answer(w, http.StatusOK, o)
}

// matches reports whether the request is about the order as it is now.
func matches(w http.ResponseWriter, r *http.Request, o *order) bool {
	if r.Header.Get("If-Match") != o.tag {
		refuse(w, http.StatusPreconditionFailed, "the order was changed")
		return false
	}
	return true
}

func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	o, ok := s.find(w, r)
	if !ok || !matches(w, r, o) {
		return
	}
	var sent struct{ ID, Note string }
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || sent.ID != o.ID {
		refuse(w, http.StatusBadRequest, "the id is another one")
		return
	}
	o.Note, o.tag = sent.Note, `"`+s.text(20, 16)+`"`
	w.Header().Set("ETag", o.tag)
	answer(w, http.StatusOK, o)
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request) {
	o, ok := s.find(w, r)
	if !ok || !matches(w, r, o) {
		return
	}
	delete(s.orders, o.ID)
	s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == o.ID })
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) byNumber(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(w, r)
	if !ok {
		return
	}
	number, _ := strconv.Atoi(r.PathValue("number"))
	for _, o := range s.orders {
		if o.Number == number && o.Owner == user {
			answer(w, http.StatusOK, o)
			return
		}
	}
	refuse(w, http.StatusNotFound, "no order has this number")
}
