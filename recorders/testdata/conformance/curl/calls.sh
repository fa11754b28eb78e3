# what the CRM was asked
curl 'https://crm.example/applicants/H00000417?term=202640' \
  -H 'Accept: application/json'
curl https://lms.example/rosters --data-raw $'CRN\r\n00417\r\n' -H 'Content-Type: text/csv'
