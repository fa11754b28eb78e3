package calendar

import (
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/cron"
)

// irregular is the runs of one schedule that the clock does not show exactly once.
type irregular struct {
	missing, doubled []cron.Run
	all              int
}

// lookAtClockChanges finds runs at a time that a change of the clock takes away or brings twice. Runs by interval are
// left out: the next one is near.
func (o *outlook) lookAtClockChanges() error {
	for _, key := range o.integrations() {
		for _, schedule := range o.catalogue.Integrations[key].Runs {
			spec, zone, err := parse(key, schedule)
			if err != nil {
				return err
			}
			if spec.IsInterval() {
				continue
			}
			var found irregular
			for run := range spec.Runs(o.first.Time, o.days, zone) {
				found.all++
				switch len(run.At) {
				case 0:
					found.missing = append(found.missing, run)
				case 2:
					found.doubled = append(found.doubled, run)
				}
			}
			o.addMissing(key, schedule, zone, found)
			o.addDoubled(key, schedule, found)
		}
	}
	return nil
}

func parse(integration string, s harness.Schedule) (cron.Spec, *time.Location, error) {
	spec, err := cron.Parse(s.Cron)
	if err != nil {
		return spec, nil, harness.Usage(fmt.Errorf("read the schedule of %s: %w", integration, err), "mend runs in the catalogue's integrations.yaml")
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return spec, nil, harness.Usage(fmt.Errorf("read the schedule of %s: zone %q: %w", integration, s.Zone, err), "write a zone such as America/Chicago")
	}
	return spec, zone, nil
}

func (o *outlook) addMissing(key string, s harness.Schedule, zone *time.Location, found irregular) {
	if len(found.missing) == 0 {
		return
	}
	first := found.missing[0]
	forward, naive := first.Instead(zone)
	o.add(dayOfRun(first), key, harness.Finding{
		Kind: "F42", Title: "run does not exist", Verdict: harness.Review, Count: len(found.missing), Of: found.all, Unit: "runs",
		Sentence: fmt.Sprintf("%s at %s in %s does not exist: the clock is set forward over it.", titleOf(s), walls(found.missing), s.Zone),
		Effects: []string{
			fmt.Sprintf("What happens depends on the scheduler. The cron of most Linux systems starts it right after the change, at %s; schedulers that look for the next match, such as CronJobs of Kubernetes, leave it out that day; a program that converts the time by itself lands on %s.",
				forward.Format("15:04"), naive.Format("15:04")),
		},
		NextStep: "Find out what your scheduler does, and move the run out of the hours of the change, or start it by hand that day and check that its data arrived.",
	})
}

func (o *outlook) addDoubled(key string, s harness.Schedule, found irregular) {
	if len(found.doubled) == 0 {
		return
	}
	first := found.doubled[0]
	o.add(dayOfRun(first), key, harness.Finding{
		Kind: "F42", Title: "run happens twice", Verdict: harness.Review, Count: len(found.doubled), Of: found.all, Unit: "runs",
		Sentence: fmt.Sprintf("%s at %s in %s happens twice: the clock is set back over it.", titleOf(s), walls(found.doubled), s.Zone),
		Effects: []string{
			fmt.Sprintf("What happens depends on the scheduler. The cron of most Linux systems starts it once; schedulers that look for the next match start it at %s and again at %s.",
				first.At[0].UTC().Format("15:04 UTC"), first.At[1].UTC().Format("15:04 UTC")),
		},
		NextStep: "Find out what your scheduler does, and make sure that a second run of the same night does no harm, or move the run out of the hours of the change.",
	})
}

func dayOfRun(r cron.Run) harness.Date {
	return harness.Date{Time: time.Date(r.Year, r.Month, r.Day, 0, 0, 0, 0, time.UTC)}
}

// titleOf names a schedule for people.
func titleOf(s harness.Schedule) string {
	if s.Title == "" {
		return fmt.Sprintf("The run %q", s.Cron)
	}
	return strings.ToUpper(s.Title[:1]) + s.Title[1:]
}

// maxWalls is how many times are listed.
const maxWalls = 10

func walls(runs []cron.Run) string {
	var texts []string
	for i, r := range runs {
		if i == maxWalls {
			texts = append(texts, fmt.Sprintf("%d more", len(runs)-maxWalls))
			break
		}
		texts = append(texts, r.Wall())
	}
	return strings.Join(texts, ", ")
}
