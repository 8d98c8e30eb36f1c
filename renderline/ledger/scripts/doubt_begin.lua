-- Say that the ledger is in doubt. ARGV: why since('': unknown) -> 1, 0 (it was)
if in_doubt() then return 0 end
begin_doubt(ARGV[3], tonumber(ARGV[4]))
return 1
