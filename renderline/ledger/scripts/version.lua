-- Records of a newer version. A record has the field `schema` if a program needs to know more than version SCHEMA.0 to
-- handle it. A step of a version that does not know it leaves it alone.
-- -> the version that it needs, if that is newer than this program's; nil for a record that this program handles
local function newer(id)
  local needs = redis.pcall('HGET', K.render .. id, 'schema')
  -- A key that holds something else is a broken record, not a newer one.
  if type(needs) ~= 'string' then return nil end
  local version, level = string.match(needs, '^(%d+)%.(%d+)$')
  if version and tonumber(version) == SCHEMA and tonumber(level) <= LEVEL then return nil end
  return needs
end
