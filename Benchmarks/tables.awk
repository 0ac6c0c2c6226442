# Makes Markdown tables of the lines `result<TAB>subject<TAB>question<TAB>threads<TAB>figure<TAB>value`. Several values of one figure (several launches)
# become their median.
BEGIN { FS = "\t" }

$1 == "result" {
  cell = $2 FS $3 FS $4 FS $5
  values[cell, ++count[cell]] = $6
  row = $3 FS $4 FS $2
  if (!(row in known)) {
    known[row] = 1
    order[++rows] = row
  }
}

function median(cell,    n, i, j, moved) {
  n = count[cell]
  for (i = 2; i <= n; i++) {
    moved = values[cell, i]
    for (j = i - 1; j >= 1 && values[cell, j] + 0 > moved + 0; j--) values[cell, j + 1] = values[cell, j]
    values[cell, j + 1] = moved
  }
  return values[cell, int((n + 1) / 2)] + 0
}

function figure(subject, question, threads, name) { return median(subject FS question FS threads FS name) }

function short(value) { return value >= 1000 ? sprintf("%'d", value) : value >= 100 ? sprintf("%.0f", value) : sprintf("%.1f", value) }

# One row for each subject of a question; `names` are its figures, and the last column is the ratio of the first one to TreeRing's.
function table(question, threads, title, names, base, isRate,    list, n, i, j, part, line, ratio, own) {
  n = split(names, list, ",")
  printf "\n%s\n\n| |", title
  for (j = 1; j <= n; j++) printf " %s |", list[j]
  if (base != "") printf " %s |", isRate ? "TreeRing is … times as fast" : "… times TreeRing"
  printf "\n|---|"
  for (j = 1; j <= n + (base != ""); j++) printf "---:|"
  print ""
  for (i = 1; i <= rows; i++) {
    split(order[i], part, FS)
    if (part[1] != question || part[2] != threads) continue
    line = "| " part[3] " |"
    for (j = 1; j <= n; j++) line = line " " short(figure(part[3], question, threads, list[j])) " |"
    if (base != "") {
      own = figure(base, question, threads, list[1])
      ratio = figure(part[3], question, threads, list[1])
      ratio = isRate ? (ratio > 0 ? own / ratio : 0) : (own > 0 ? ratio / own : 0)
      line = line sprintf(" %.1f |", ratio)
    }
    print line
  }
}

# What a handler of swift-log adds to a call: the call with a handler that does nothing is what swift-log itself costs.
function handlers(    kinds, names, i, j, name, own, nothing, stream) {
  if (!count["swift-log no-op" FS "in a row" FS 1 FS "p50"]) return
  kinds[1] = ""; kinds[2] = ", literal"; kinds[3] = ", metadata"
  printf "\nHandlers of swift-log, calls in a row, 1 thread, ns\n\n"
  print "| | p50 | more than no-op | StreamLogHandler takes … times as long |\n|---|---:|---:|---:|"
  split("no-op TreeRing StreamLogHandler", names, " ")
  for (i = 1; i <= 3; i++) {
    nothing = figure("swift-log no-op" kinds[i], "in a row", 1, "p50")
    stream = figure("swift-log StreamLogHandler" kinds[i], "in a row", 1, "p50")
    for (j = 1; j <= 3; j++) {
      name = "swift-log " names[j] kinds[i]
      own = figure(name, "in a row", 1, "p50")
      if (own > 0) printf "| %s | %s | %s | %.1f |\n", name, short(own), short(own - nothing), stream / own
    }
  }
}

END {
  table("disabled", 1, "A disabled call, ns", "p50,best", "", 0)
  table("clock", 1, "Reading a clock, ns", "p50,best", "", 0)
  table("spaced", 1, "An enabled call, three arguments, samples of 20 calls 2 ms apart, 1 thread, ns", "p50,p99,mean,p50 without clock", "TreeRing", 0)
  table("in a row", 1, "Calls in a row, 1 thread, ns", "p50,p99,mean,p50 without clock", "TreeRing", 0)
  for (i = 1; i <= rows; i++) {
    split(order[i], part, FS)
    if (part[1] == "spaced" && part[2] > 1) many = part[2]
  }
  if (many) {
    table("spaced", many, "Samples of 20 calls 2 ms apart, " many " threads, ns", "p50,p99,mean,p50 without clock", "TreeRing", 0)
    table("in a row", many, "Calls in a row, " many " threads, ns", "p50,p99,mean,p50 without clock", "TreeRing", 0)
  }
  handlers()
  table("allocations", 1, "Allocations of the calling thread", "per call", "", 0)
  table("instructions", 1, "Instructions of the calling thread (callgrind; free of noise)", "per call", "TreeRing", 0)
  table("throughput", 1, "The writer, into a file in /dev/shm, until flushed, best of 3", "messages per second,bytes per message", "TreeRing, text", 1)
  table("call to file", 1, "From the call until the record is in the file, one record and a flush, µs", "p50,p99", "TreeRing, text", 0)
}
