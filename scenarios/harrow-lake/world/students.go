package world

import (
	"fmt"
	"strings"
	"time"
)

// Student is a row of persons.csv.
type Student struct {
	ID        string // H and eight digits
	Last      string
	First     string
	Preferred string // empty when the first name is used
	Email     string
	Birth     string // 2006-01-02
}

// firstStudent is the number in the ID of the first student.
const firstStudent = 101

// LongSurname is 61 characters, which is more than many a receiver has room for.
const LongSurname = "Montgomery-Featherstonehaugh-Ravensworth-Oakhampton-Pemberton"

// students are the names in the order of their IDs, "Last, First" or "Last, First (Preferred)". The three names with
// letters outside ASCII are the only ones: a change of encoding hits exactly them.
var students = [...]string{
	"Abara, Chidi", "Adler, Miriam", "Ahlgren, Tove", "Alcott, James", "Amato, Lucia",
	"Anders, Philip (Pip)", "Aoki, Hana", "Arnett, Dwayne", "Ashworth, Beth", "Azizi, Parisa",
	"Baptiste, Remy", "Barlow, Colin", "Bekele, Sara", "Benning, Ruth", "Bishop, Aaron",
	"Brännström, Zoë", "Calloway, Denise", "Castell, Ivo", "Chandra, Meera", "Clement, Noah",
	"Cordova, Elena", "Dalton, Grace", "Demir, Selin", "Doyle, Kieran", "Dunmore, Wes",
	"Eastman, Claire", "Ekwueme, Ada", "Ellery, Quentin", "Farrow, Josephine (Jo)", "Fenwick, Adam",
	"Ferrante, Gia", "Fisk, Harold", "Galvan, Mateo", "Garrick, Olive", "Gupta, Rohan",
	"Hadley, Simon", "Halvorsen, Liv", "Harker, Nell", "Hobbs, Trevor", "Ibarra, Pilar",
	"Ingram, Paul", "Núñez, José", "Jarvis, Monica", "Jensen, Asta", "Kaplan, Leah",
	"Keating, Rory", "Kimura, Sho", "Kowal, Ewa", "Lam, Winnie", "Lefèvre, François",
	"Lindqvist, Per", "Lowell, Virginia (Ginny)", "Maddox, Troy", "Malik, Hamza", "Marlow, Edith",
	"McBride, Sean", "Mensah, Kofi", "Merritt, Dana", LongSurname + ", Alexandra", "Nakano, Yui",
	"Norwood, Ellis", "O'Dwyer, Maeve", "Okafor, Ngozi", "Ortega, Luis", "Paget, Rose",
	"Pham, Linh", "Pruitt, Wade", "Quigley, Fern", "Ramires, Bruno", "Reyes, Carmen",
	"Rowan, Theo", "Sandoval, Ines", "Shelby, Marcus", "Sorensen, Nils", "Tanaka, Rei",
	"Thorne, Abigail (Abby)", "Ueda, Kenji", "Vance, Stella", "Whitlock, Gareth", "Zeller, Anja",
}

// leapling is the index of the student who was born on a leap day.
const leapling = 27

// Students returns the 80 students in the order of their IDs.
func Students() []Student {
	list := make([]Student, len(students))
	for i, name := range students {
		last, rest, _ := strings.Cut(name, ", ")
		first, preferred, _ := strings.Cut(strings.TrimSuffix(rest, ")"), " (")
		list[i] = Student{
			ID:        StudentID(firstStudent + i),
			Last:      last,
			First:     first,
			Preferred: preferred,
			Email:     fmt.Sprintf("%s%d@hlu.example", login(first, last), firstStudent+i),
			Birth:     studentBirth(i),
		}
	}
	return list
}

// StudentID writes the number as the SIS does: H and eight digits.
func StudentID(n int) string { return fmt.Sprintf("H%08d", n) }

// studentBirth spreads the birthdays over 2004 to 2008.
func studentBirth(i int) string {
	if i == leapling {
		return "2004-02-29"
	}
	return time.Date(2004, time.March, 1+i*19, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// ascii writes letters without their marks, as logins have them.
var ascii = strings.NewReplacer("ä", "a", "ç", "c", "é", "e", "è", "e", "ë", "e", "ñ", "n", "ö", "o", "ú", "u",
	"ø", "o", "á", "a", "í", "i", "ş", "s", "-", "", "'", "", " ", "")

// login is the first letter of the first name and at most eleven letters of the last name.
func login(first, last string) string {
	letters := ascii.Replace(strings.ToLower(last))
	return ascii.Replace(strings.ToLower(first))[:1] + letters[:min(len(letters), 11)]
}

// PersonsCSV is persons.csv: the students in the order of their IDs.
func PersonsCSV() []byte {
	rows := [][]string{{"ID", "LAST_NAME", "FIRST_NAME", "PREF_NAME", "EMAIL", "BIRTH_DATE"}}
	for _, s := range Students() {
		rows = append(rows, []string{s.ID, s.Last, s.First, s.Preferred, s.Email, s.Birth})
	}
	return table(rows)
}
