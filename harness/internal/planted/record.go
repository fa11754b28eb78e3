package planted

import "strconv"

// aboveFloat is where float64 begins to skip whole numbers: four times a number above it, and the one behind that, are
// the same float64.
const aboveFloat = 1 << 53

// id is unique in both lists.
func (r record) id(b []byte) []byte {
	mark := byte('H')
	if r.added {
		mark = 'N'
	}
	return digits(append(b, mark), r.i, 9)
}

// pidm differs in its last digit when it is what changed: equal numbers for who reads them as floats.
func (r record) pidm(b []byte) []byte {
	n := int64(aboveFloat) + 4*int64(r.i)
	if r.changed && r.i%places == places-1 {
		n++
	}
	return strconv.AppendInt(b, n, 10)
}

func (r record) stamp(b []byte) []byte {
	day := "2026-10-05T"
	if r.stamped {
		day = "2026-10-06T"
	}
	b = append(b, day...)
	b = digits(b, r.i/3600%24, 2)
	b = digits(append(b, ':'), r.i/60%60, 2)
	return append(digits(append(b, ':'), r.i%60, 2), 'Z')
}

func (r record) json(b []byte) []byte {
	b = append(r.id(append(b, `{"id":"`...)), `","pidm":`...)
	b = append(r.pidm(b), `,"last":"`...)
	b = append(append(b, families[r.i%len(families)]...), `","first":"Ngozi","email":"`...)
	b = append(r.id(b), `@students.hlu.example","plan":"`...)
	b = append(append(b, r.pick(plans, 0)...), `","credits":`...)
	b = append(strconv.AppendInt(b, int64(r.i%20), 10), `.50,"status":"`...)
	b = append(append(b, r.pick(statuses, 1)...), `","addresses":[`...)
	for n := range 1 + r.i%2 {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(append(b, `{"street":"`...), int64(r.i%999+n), 10), ` Lake Road","city":"`...)
		city := cities[n]
		if n == 0 {
			city = r.pick(cities, 2)
		}
		b = append(append(b, city...), `","zip":"00`...)
		b = append(digits(b, r.i%1000, 3), `"}`...)
	}
	b = append(b, `],"enrolments":[`...)
	for n := range 1 + r.i%3 {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(digits(append(b, `{"crn":"`...), (r.i+n)%90000, 5), `","role":"student","grade":`...)
		grade := grades[n]
		if n == 0 {
			grade = r.pick(grades, 3)
		}
		b = append(append(b, grade...), '}')
	}
	b = append(r.stamp(append(b, `],"updatedAt":"`...)), `","notes":"transferred from the college across the lake"}`...)
	return b
}

func (r record) csv(b []byte) []byte {
	b = r.pidm(append(r.id(b), ','))
	b = digits(append(b, ",2027"...), 10*(r.i%3), 2)
	b = digits(append(b, ','), r.i%90000, 5)
	b = append(append(b, ",student,"...), r.pick(statuses, 1)...)
	b = strconv.AppendInt(append(b, ','), int64(r.i%20), 10)
	b = append(append(b, ".50,2027-01-11,2027-05-14,"...), r.pick(cities, 2)...)
	title := r.pick(plans, 0)
	if r.i%10 == 3 {
		b = append(append(append(b, `,"`...), title...), `, with honours",`...)
	} else {
		b = append(append(append(b, ','), title...), `,`...)
	}
	if r.changed && r.i%places == 3 {
		b = append(b, ' ')
	}
	return append(r.stamp(b), '\n')
}
