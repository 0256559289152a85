-- Deletes what has expired of a caller, and answers when there is something to do next.
local function sweep_caller(base, identity, now, swept)
  local caller, erasures = base .. 'c' .. identity, base .. 'e' .. identity
  local held = call('HGETALL', caller)
  local left, next_due, marks_until, identifier, gone = false, nil, nil, false, {}
  for at = 1, #held, 2 do
    local name, value = held[at], held[at + 1]
    local kind = name:sub(1, 1)
    if kind == 'i' then
      identifier = true
    elseif kind == 'u' then
      marks_until = value
    elseif kind == 'm' then
      if later(value, now) then
        next_due = earliest(value, next_due)
      else
        local key = base .. 'm' .. name:sub(2)
        local found = call('GET', key)
        if found and found:sub(1, 1) == 'M' and found:sub(10, 41) == identity and not later(found:sub(2, 9), now) then
          call('DEL', key)
        end
        gone[#gone + 1] = name
      end
    elseif kind == 'o' then
      local kept = {}
      for position = 1, #value, 24 do
        local expires = value:sub(position + 16, position + 23)
        if later(expires, now) then
          kept[#kept + 1] = value:sub(position, position + 23)
          next_due, left = earliest(expires, next_due), true
        end
      end
      if #kept == 0 then
        gone[#gone + 1] = name
      elseif 24 * #kept < #value then
        call('HSET', caller, 'o', table.concat(kept))
      end
    else
      local expires = kind == 'f' and value:sub(9, 16) or value:sub(25, 32)
      if later(expires, now) then
        next_due, left = earliest(expires, next_due), true
      else
        gone[#gone + 1] = name
        local what = kind == 'f' and 'fields' or 'interactions'
        swept[what] = swept[what] + 1
      end
    end
  end
  if left or (marks_until and later(marks_until, now)) then
    for _, name in ipairs(gone) do call('HDEL', caller, name) end
    if not left then next_due = earliest(marks_until, next_due) end
  elseif #held > 0 then
    call('DEL', caller)
    if identifier then swept.identifiers = swept.identifiers + 1 end
  end

  local remembered = call('HGETALL', erasures)
  for at = 1, #remembered, 2 do
    local expires = remembered[at + 1]:sub(9, 16)
    if later(expires, now) then
      next_due = earliest(expires, next_due)
    else
      call('HDEL', erasures, remembered[at])
    end
  end
  return next_due
end

-- Deletes what has expired in a bucket, up to a number of things of each kind, and answers whether there is more.
local function sweep(keys, args)
  local base, now, limit = keys[1], args[1], tonumber(args[2])
  local swept = {fields = 0, identifiers = 0, interactions = 0, metrics = 0, sessions = 0}
  local more = 0

  local callers = due(base .. 'C', now, limit)
  local moved = 0
  for _, identity in ipairs(callers) do
    local next_due = sweep_caller(base, identity, now, swept)
    if next_due then
      call('ZADD', base .. 'C', score(next_due), identity)
    else
      call('ZREM', base .. 'C', identity)
    end
    if not next_due or score(next_due) ~= score(now) then moved = moved + 1 end
  end
  if #callers == limit and moved > 0 then more = 1 end

  local interactions = due(base .. 'R', now, limit)
  for _, id in ipairs(interactions) do
    swept.metrics = swept.metrics + call('HLEN', base .. 'r' .. id)
    call('DEL', base .. 'r' .. id)
    call('ZREM', base .. 'R', id)
  end
  local marks = due(base .. 'V', now, limit)
  for _, conversation in ipairs(marks) do
    local found = call('GET', base .. 'm' .. conversation)
    if found and found:sub(1, 1) == 'V' and not later(found:sub(2, 9), now) then
      call('DEL', base .. 'm' .. conversation)
    end
    call('ZREM', base .. 'V', conversation)
  end
  local pointers = due(base .. 'P', now, limit)
  for _, conversation in ipairs(pointers) do
    if call('TTL', base .. 'p' .. conversation) == -1 then call('DEL', base .. 'p' .. conversation) end
    call('ZREM', base .. 'P', conversation)
  end
  local sessions = due(base .. 'S', now, limit)
  for _, conversation in ipairs(sessions) do
    swept.sessions = swept.sessions + drop_session(base, conversation)
  end
  for _, found in ipairs({interactions, marks, pointers, sessions}) do
    if #found == limit then more = 1 end
  end
  return {swept.fields, swept.identifiers, swept.interactions, swept.metrics, swept.sessions, more}
end

local function note_sweep(keys, args)
  call('SET', keys[1] .. 'swept', args[1])
  return true
end
