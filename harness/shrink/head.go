package shrink

import (
	"context"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness"
)

// carried are header fields without which a body cannot be read.
var carried = []string{"host", "content-type", "content-encoding", "content-length", "transfer-encoding"}

// head takes away header fields of a request.
func (s *search) head(ctx context.Context, i int) error {
	head := s.best[i].Request.Head
	var droppable []int
	for n, f := range head {
		if !f.IsPseudo() && !slices.Contains(carried, strings.ToLower(f.Name)) {
			droppable = append(droppable, n)
		}
	}
	_, err := ddmin(len(droppable), func(candidates [][]int) (int, error) {
		list := s.best
		return s.first(ctx, len(candidates), func(c int) (candidate, error) {
			var rest harness.Head
			for n, f := range head {
				if at := slices.Index(droppable, n); at < 0 || slices.Contains(candidates[c], at) {
					rest = append(rest, f)
				}
			}
			return withHead(list, i, rest), nil
		})
	})
	return err
}

// withHead is the exchanges with another head of one request.
func withHead(list []harness.Exchange, i int, head harness.Head) candidate {
	list = slices.Clone(list)
	list[i].Request.Head = head
	return list
}

// query takes away parameters of the query of a request.
func (s *search) query(ctx context.Context, i int) error {
	path, query, has := strings.Cut(s.best[i].Request.Head.Get(harness.FieldPath), "?")
	if !has || s.best[i].Channel != harness.ChannelHTTP {
		return nil
	}
	pairs := strings.Split(query, "&")
	_, err := ddmin(len(pairs), func(candidates [][]int) (int, error) {
		list := s.best
		return s.first(ctx, len(candidates), func(c int) (candidate, error) {
			var kept []string
			for _, n := range candidates[c] {
				kept = append(kept, pairs[n])
			}
			target := path
			if len(kept) > 0 {
				target += "?" + strings.Join(kept, "&")
			}
			return withHead(list, i, list[i].Request.Head.With(harness.FieldPath, target)), nil
		})
	})
	return err
}
