-- Quarantine a record that a worker cannot read. ARGV: id account('' unknown) reason
quarantine(ARGV[3], ARGV[5], ARGV[4] ~= '' and ARGV[4] or nil)
return 1
