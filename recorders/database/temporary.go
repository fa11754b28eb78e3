package database

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// Embedded is the source of an SQLite database that needs no server.
const Embedded = "sqlite"

// removal is how long it may take to remove a database once the work on it is over.
const removal = 30 * time.Second

// Temporary is an empty database of its own that is removed at the end.
type Temporary struct {
	*DB
	Source Source // of the database itself

	server *DB // where it was made; nil: it is a file
	name   string
}

// OpenTemporary makes a new database: a file of that name in the folder when the source is [Embedded], else a database of that
// name on the server of the source. The user needs the right to make one. A database of that name that is there already is
// left alone, and an error.
func OpenTemporary(ctx context.Context, s Source, name, dir string) (*Temporary, error) {
	s.Write = true
	if s.URL == Embedded {
		s.URL = sqlite.scheme + ":" + (&url.URL{Path: filepath.ToSlash(filepath.Join(dir, name+".sqlite"))}).EscapedPath()
		db, err := Open(ctx, s)
		if err != nil {
			return nil, err
		}
		return &Temporary{DB: db, Source: s}, nil
	}
	e, u, err := engineOf(s.URL)
	if err != nil {
		return nil, err
	}
	if e.named == nil {
		return nil, harness.Usage(fmt.Errorf("open database %s: a file that is there is not written", s.URL), "write "+Embedded+" for an empty database, or the URL of a server")
	}
	server, err := e.connect(ctx, u, s)
	if err != nil {
		return nil, err
	}
	t := &Temporary{server: server, name: name}
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+server.Quoted(name)); err != nil {
		err = harness.CannotRun(fmt.Errorf("make a database on %s: %w", s.URL, err), "the user needs the right to make databases, on a server for tests")
		return nil, errors.Join(err, server.Close())
	}
	own := *u
	e.named(&own, name)
	t.Source = s
	t.Source.URL = own.String()
	if t.DB, err = e.connect(ctx, &own, s); err != nil {
		return nil, errors.Join(err, t.remove(ctx))
	}
	return t, nil
}

// Remove closes the database and removes it, also when the context is over. The error names what is left.
func (t *Temporary) Remove(ctx context.Context) error {
	err := t.DB.Close()
	if t.server == nil {
		return err
	}
	return errors.Join(err, t.remove(ctx))
}

func (t *Temporary) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removal)
	defer cancel()
	_, err := t.server.ExecContext(ctx, "DROP DATABASE "+t.server.Quoted(t.name)+t.server.engine.forced)
	if err != nil {
		err = harness.CannotRun(fmt.Errorf("remove database %s: %w", t.name, err), "remove it by hand")
	}
	return errors.Join(err, t.server.Close())
}
