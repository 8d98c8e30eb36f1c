-- A draft may have been made for an attempt that others have taken over, or ended. ARGV: account id attempt
mark_orphan_of(ARGV[3], ARGV[4], ARGV[5])
return 1
