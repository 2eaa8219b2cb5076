-- POSTs of new participants, each with an id of its own, to the meetings of a file in turn.
-- Arguments: a file with one participants path a line, and a prefix that no earlier round used.

dofile("read.lua")

local paths, prefix, sent = {}, nil, 0

function init(args)
  for line in io.lines(args[1]) do
    paths[#paths + 1] = line
  end
  prefix = args[2]
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  sent = sent + 1
  local body = string.format(
    '{"custom_participant_id":"%s-%d","preset_name":"group_call_host","name":"Participant %d"}', prefix, sent, sent)
  return wrk.format("POST", paths[sent % #paths + 1], nil, body)
end
