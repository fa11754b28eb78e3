# One LMS user for each person. The preferred name, where there is one, takes the place of the first name.
map({
  user_id: .ID,
  login_id: (.EMAIL | split("@")[0]),
  first_name: (if .PREF_NAME == "" then .FIRST_NAME else .PREF_NAME end),
  last_name: .LAST_NAME,
  email: .EMAIL,
  status: "active"
})
