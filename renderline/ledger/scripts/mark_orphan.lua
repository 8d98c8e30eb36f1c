-- Mark an attempt for the orphan sweep: it may have left a draft. ARGV: account id attempt
mark_orphan_of(ARGV[3], ARGV[4], ARGV[5])
return 1
