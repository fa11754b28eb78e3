package main

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/payload"
)

// treeChange changes one document at the places of a planted change.
type treeChange = func(p *planted, id string, root *tree, like *payload.Doc)

// climb calls visit for every node with its pattern, parents first; a change of the children during the visit counts.
func climb(t *tree, path harness.Path, visit func(pattern string, t *tree)) {
	if path == nil {
		path = harness.PathOf(harness.Name("body"))
	}
	visit(path.String(), t)
	for _, k := range slices.Clone(t.kids) {
		step := harness.Each()
		if t.kind == harness.KindObject {
			step = harness.Name(k.name)
		}
		climb(k, path.Child(step), visit)
	}
}

// parents calls change for each object that has the member of a site and is selected, and the place of the member, which
// counts as changed.
func (p *planted) parents(id string, root *tree, change func(parent *tree, i int)) {
	p.around(id, root, func(parent *tree, i int) {
		p.touch(id, parent.kids[i].from)
		change(parent, i)
	})
}

// around is parents for what leaves the member itself as it is.
func (p *planted) around(id string, root *tree, change func(parent *tree, i int)) {
	ordinal := 0
	climb(root, nil, func(pattern string, t *tree) {
		if t.kind != harness.KindObject || pattern+"."+p.site().leaf() != p.site().pattern {
			return
		}
		_, i := t.member(p.site().leaf())
		if i < 0 {
			return
		}
		if t.kids[i].kind != harness.KindObject && t.kids[i].kind != harness.KindArray && p.selects(id, ordinal, t.text) {
			change(t, i)
		}
		ordinal++
	})
}

func renamed(p *planted, id string, root *tree, _ *payload.Doc) {
	p.parents(id, root, func(parent *tree, i int) { parent.kids[i].name = "entry_" + parent.kids[i].name })
}

func removed(p *planted, id string, root *tree, _ *payload.Doc) {
	p.parents(id, root, func(parent *tree, i int) { parent.kids = slices.Delete(parent.kids, i, i+1) })
}

func added(p *planted, id string, root *tree, like *payload.Doc) {
	n := 0
	p.around(id, root, func(parent *tree, _ int) {
		n++
		parent.kids = append(parent.kids, &tree{kind: harness.KindString, name: "lastActivity", raw: lexeme(fmt.Sprintf("A%05d", n*37), like)})
	})
}

func nested(p *planted, id string, root *tree, _ *payload.Doc) {
	p.parents(id, root, func(parent *tree, i int) {
		parent.kids[i] = &tree{kind: harness.KindObject, name: "details", kids: []*tree{parent.kids[i]}}
	})
}

func twice(p *planted, id string, root *tree, _ *payload.Doc) {
	p.parents(id, root, func(parent *tree, i int) { parent.kids = append(parent.kids, parent.kids[i].clone()) })
}

// exchanged lets the member and the first scalar beside it trade values.
func exchanged(p *planted, id string, root *tree, _ *payload.Doc) {
	p.parents(id, root, func(parent *tree, i int) {
		if other, _ := parent.member(p.site().parent[0]); other != nil && len(other.kids) == 0 {
			parent.kids[i].raw, other.raw = other.raw, parent.kids[i].raw
			parent.kids[i].kind, other.kind = other.kind, parent.kids[i].kind
		}
	})
}

// stale repeats the value of the record before.
func stale(p *planted, id string, root *tree, _ *payload.Doc) {
	last := ""
	p.parents(id, root, func(parent *tree, i int) {
		k := parent.kids[i]
		if last != "" {
			k.raw, last = last, k.raw
			return
		}
		last = k.raw
	})
}

// lexemes writes other lexemes in the place of a member's.
func lexemes(f func(raw string) string) treeChange {
	return func(p *planted, id string, root *tree, _ *payload.Doc) {
		p.parents(id, root, func(parent *tree, i int) {
			if k := parent.kids[i]; k.raw != "null" && k.raw != "" {
				k.raw = f(k.raw)
			}
		})
	}
}

// arrays calls change for each array of the site.
func (p *planted) arrays(root *tree, change func(list *tree)) {
	climb(root, nil, func(pattern string, t *tree) {
		if pattern == p.site().pattern && t.kind == harness.KindArray && len(t.kids) > 0 {
			change(t)
		}
	})
}

func lostRecords(p *planted, id string, root *tree, _ *payload.Doc) {
	n := 0
	p.arrays(root, func(list *tree) {
		list.kids = slices.DeleteFunc(list.kids, func(t *tree) bool {
			n++
			return len(list.kids) > 1 && p.selects(id, n, t.text)
		})
	})
}

func doubledRecords(p *planted, id string, root *tree, _ *payload.Doc) {
	n := 0
	p.arrays(root, func(list *tree) {
		var out []*tree
		for _, t := range list.kids {
			n++
			if out = append(out, t); p.selects(id, n, t.text) {
				out = append(out, t.clone())
			}
		}
		list.kids = out
	})
}

func reordered(p *planted, _ string, root *tree, _ *payload.Doc) {
	p.arrays(root, func(list *tree) {
		slices.Reverse(list.kids)
		if n := len(list.kids); n > 4 {
			list.kids = append(list.kids[n/3:], list.kids[:n/3]...)
		}
	})
}

func paged(p *planted, _ string, root *tree, _ *payload.Doc) {
	p.arrays(root, func(list *tree) { list.kids = list.kids[:max(1, 2*len(list.kids)/3)] })
}

// text is the text of a member, for conditions.
func (t *tree) text(name string) string {
	k, i := t.member(name)
	if i < 0 {
		return ""
	}
	raw := k.raw
	if len(raw) > 1 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	return raw
}
