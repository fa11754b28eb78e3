# One LMS enrolment for each registration whose status the crosswalk translates. A status that it does not know, or
# translates to "skip", yields no row. Rows are sorted, so that two nights can be compared by eye.
($reg_status | map({key: .sis_code, value: .lms_status}) | from_entries) as $status
| ($roles | map({key: .sis_code, value: .lms_role}) | from_entries) as $role
| sort_by(.ID, .TERM, .CRN)
| map(
    $status[.RSTS] as $lms_status
    | select($lms_status != null and $lms_status != "skip")
    | {
        user_id: .ID,
        role: ($role[.RSTS] // $role["*"]),
        section_id: "\(.TERM)-\(.CRN | tonumber)",
        status: $lms_status
      }
  )
