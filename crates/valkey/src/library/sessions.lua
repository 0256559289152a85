local function drop_session(base, conversation)
  call('ZREM', base .. 'S', conversation)
  call('ZREM', base .. 'O', conversation)
  return call('DEL', base .. 's' .. conversation)
end

-- The session of a conversation that is committed, unless another was saved since.
local function end_session(keys, args)
  local key = keys[1] .. 'p' .. args[1]
  local pointer = call('GET', key)
  if pointer and pointer:sub(7, 7) == '\1' then
    call('SET', key, pointer:sub(1, 6) .. '\0', 'KEEPTTL')
    drop_session(keys[1], args[1])
  end
  return true
end

local function delete_session(keys, args)
  local conversation, touch = unpack(args)
  if drop_session(keys[1], conversation) == 0 then cover(keys[1], touch) end
  return true
end

-- Sessions: revision, expiry, whether it can be overdue, since when, and the session.
local function save_session(keys, args)
  local base = keys[1]
  local now, conversation, session, ttl, replaces, seen, ended, touch = unpack(args)
  local key, pointer_key = base .. 's' .. conversation, base .. 'p' .. conversation
  local pointer = call('GET', pointer_key)
  local gone = false
  if pointer and pointer:sub(7, 7) == '\1' then
    -- Whether the session has ended is known in another slot: the client has to look there.
    if pointer ~= seen then return {'look', pointer} end
    gone = ended == '1'
  end
  local head = ''
  if not gone then head = call('GETRANGE', key, 0, 23) end
  local there = #head == 24 and later(head:sub(17, 24), now) and head:sub(1, 16)
  local may = replaces == 'anything' or (replaces == 'nothing' and not there) or (there and replaces == there)
  if may then
    if gone then
      call('SET', pointer_key, pointer:sub(1, 6) .. '\0', 'KEEPTTL')
    end
    call('SET', key, session, 'EX', ttl)
    call('ZADD', base .. 'S', score(session:sub(17, 24)), conversation)
    if session:sub(25, 25) == '\1' then
      call('ZADD', base .. 'O', score(session:sub(26, 33)), conversation)
    else
      call('ZREM', base .. 'O', conversation)
    end
    return {'saved'}
  end
  if there and there == session:sub(1, 16) then
    if touch == '1' then
      call('SET', key, call('GET', key), 'KEEPTTL')
    end
    return {'saved'}
  end
  return {'refused'}
end

-- How many callers a bucket has, how many interactions with rows, and how many sessions that have not expired; and
-- which of these end with the commit of their conversations, with their pointers.
local function summary(keys, args)
  local base, now = keys[1], args[1]
  local alive = call('ZRANGE', base .. 'S', '(' .. score(now), '+inf', 'BYSCORE')
  local found = {tostring(call('ZCARD', base .. 'C')), tostring(call('ZCARD', base .. 'R')), tostring(#alive)}
  for _, conversation in ipairs(alive) do
    local pointer = call('GET', base .. 'p' .. conversation)
    if pointer and pointer:sub(7, 7) == '\1' then
      found[#found + 1] = conversation
      found[#found + 1] = pointer
    end
  end
  return found
end

-- Up to a number of overdue conversations, since when they are, and their pointers.
local function overdue(keys, args)
  local base, now, limit = keys[1], args[1], tonumber(args[2])
  local found, offset, page = {}, 0, 100
  repeat
    local members = call('ZRANGE', base .. 'O', '-inf', score(now), 'BYSCORE', 'LIMIT', offset, page)
    for _, conversation in ipairs(members) do
      local head = call('GETRANGE', base .. 's' .. conversation, 16, 32)
      if #found < 3 * limit and #head == 17 and later(head:sub(1, 8), now) and not later(head:sub(10, 17), now) then
        found[#found + 1] = conversation
        found[#found + 1] = head:sub(10, 17)
        found[#found + 1] = call('GET', base .. 'p' .. conversation) or ''
      end
    end
    offset = offset + page
  until #members < page or #found >= 3 * limit
  return found
end
