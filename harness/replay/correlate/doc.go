// Package correlate finds the values that an answer gives and a later request consumes, and carries them over to a run in
// which they are others: created ids, tokens, cookies, tickets, cursors.
//
// [Mine] reads a recording and makes a [Plan]. At replay the values of each run and target live in [Values]:
// [Plan.Producers] says what must be answered before a request is sent, [Plan.Request] puts the live values into it,
// [Plan.Learn] takes them from the answer, and [Plan.Restore] maps what crossed back to the recorded values, so that it can
// be compared.
//
// # What is a link
//
// A text of an answer is a link to an equal text of a later request when it is hardly equal by chance: by its alphabet and
// length, by what the places are called, by the thing that they name, and by structure such as a Location or a cookie. What
// means the same everywhere (true, dates, amounts) never links; words, codes and short numbers link only where the
// structure says it. A value that the client had before the answer is its own: the server only echoes it. The first answer
// that gives a value is its source.
//
// Places are written as a policy for anonymization writes them: request.segment[1], request.query.after,
// request.head.Cookie.sid, request.head.Authorization.:basic, response.head.Location.:url.segment[1],
// response.body.input[name=csrf].value.
//
// # Bounds
//
// Mining reads each body twice and holds, of the requests, 16 bytes for each distinct run of letters and digits; of the
// answers, the texts all of whose runs a later request holds. Bodies above 8 MiB are not read and counted in
// [Plan.TooLarge]. A plan holds the place of each value in each request.
package correlate
