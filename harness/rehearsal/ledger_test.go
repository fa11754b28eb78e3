package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/recorders/database"
)

// ledger is a service that posts payments: it answers, writes a row and drops a file. PLANT is what the release does wrong.
func ledger() error {
	db, err := database.Open(context.Background(), database.Source{URL: os.Getenv("LEDGER"), Password: "hurons", Write: true})
	if err != nil {
		return err
	}
	plant := os.Getenv("PLANT")
	changed := func(what, was, is string) string {
		if plant == what {
			return is
		}
		return was
	}
	http.HandleFunc("POST /payments", func(w http.ResponseWriter, r *http.Request) {
		var p struct {
			ID     string      `json:"id"`
			Amount json.Number `json:"amount"`
		}
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			http.Error(w, "no payment", http.StatusBadRequest)
			return
		}
		_, err := db.Exec("INSERT INTO gl (id, account, amount) VALUES ($1, $2, $3)", p.ID, changed("table", "4711", "4712"), p.Amount.String())
		drop := filepath.Join(os.Getenv("DROP"), "gl-"+p.ID+".csv")
		if err == nil {
			err = os.WriteFile(drop+".part", []byte("ID,AMOUNT\n"+p.ID+","+changed("file", p.Amount.String(), p.Amount.String()+"0")+"\n"), 0o600)
		}
		if err == nil {
			err = os.Rename(drop+".part", drop)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header()["Date"] = nil
		fmt.Fprintf(w, `{"status":%q}`, changed("api", "posted", "queued"))
	})
	return http.ListenAndServe(os.Getenv("REHEARSE_LISTEN"), nil)
}
