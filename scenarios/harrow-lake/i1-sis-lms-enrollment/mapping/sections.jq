# One LMS section for each section of the SIS, identified by term and CRN: 202640-00417.
map({
  section_id: "\(.TERM)-\(.CRN)",
  course_id: "\(.SUBJ)-\(.CRSE)",
  name: .TITLE,
  status: "active",
  start_date: .START_DATE,
  end_date: .END_DATE
})
