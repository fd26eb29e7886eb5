### What the program says, in English. `fr.ftl` has the same sentences with the same variables.
###
### A sentence that ends where the code goes on, in a list for instance, has no full stop.

## Every line

line-error = error: { $sentence }
line-hint = hint: { $sentence }
line-note = note: { $sentence }
line-warning = warning: { $sentence }
list-and = { $first } and { $second }
because = : { $why }

## Counts and moments

count-chunks = { $n } { $n ->
    [one] chunk
   *[other] chunks
}
count-files = { $n } { $n ->
    [one] file
   *[other] files
}
count-histories = { $n } { $n ->
    [one] history
   *[other] histories
}
count-packs = { $n } { $n ->
    [one] pack
   *[other] packs
}
count-snapshots = { $n } { $n ->
    [one] snapshot
   *[other] snapshots
}
ago-future = in the future
ago-now = just now
ago-minutes = { $n } { $n ->
    [one] minute ago
   *[other] minutes ago
}
ago-hours = { $n } { $n ->
    [one] hour ago
   *[other] hours ago
}
ago-days = { $n } { $n ->
    [one] day ago
   *[other] days ago
}
ago-months = { $n } { $n ->
    [one] month ago
   *[other] months ago
}
never = never

## Exit codes, as `--help` and README.md list them

exit-heading = EXIT CODES:
exit-0 = done
exit-1 = failed, nothing committed
exit-2 = wrong usage
exit-3 = done, but some files could not be read or changed while being read
exit-4 = done, but the run looks suspect
exit-5 = done, but a destination is behind or out of reach
exit-10 = not initialised
exit-12 = wrong key or passphrase
exit-13 = no destination reachable
exit-14 = too few copies, whatever the reason (a full disk among them)
exit-15 = damage found
exit-16 = damage found and all of it healed
exit-130 = interrupted

## Environment

environment-heading = ENVIRONMENT:
environment-home = state folder, instead of ~/.mybackup
environment-passphrase = passphrase, when config.yaml holds no key
environment-passphrase-file = file with the passphrase
environment-passphrase-command = command that prints the passphrase
environment-key-file = key file, when config.yaml holds no key
environment-lang = en or fr
environment-no-color = no colours when set
environment-language = { $variable } is not a language this program speaks: en, fr
environment-empty = the environment variable { $name } is empty
environment-both = the environment variables { $one } and { $other } are both set

## Errors that end a command

error-already-initialised = { $home } holds a configuration already
error-config = { $key }: { $detail }
error-damaged = { $object } on { $place } is damaged: { $detail }
error-destination = cannot { $what } on { $place }: { $reason }
error-foreign-state = { $path } is { $what }; it is not touched
error-format = { $object } is damaged: { $reason }
error-index = the local index cannot be used: { $detail }
error-interrupted = interrupted
error-io = cannot { $what } { $path }: { $reason }
error-locked = another command is writing with the state folder { $home }
error-locked-by = another command (process { $process }) is writing with the state folder { $home }
error-newer-program = { $object } was written by a newer program (format version { $version })
error-no-destination = no destination is configured
error-not-a-destination = cannot connect to { $path }: { $why }
error-not-found = not found: { $what }
error-nothing-came = nothing came for { $name }
error-not-initialised = CryptBackup is not initialised: there is no configuration in { $home }
error-nothing-to-back-up = there is nothing to back up: { $why }
error-open-to-others = { $path } holds the key and can be read by others
error-overtaken = another machine cleaned a destination meanwhile, and what this run relied on is gone
error-settings = { $path }: { $what }
error-settings-line = { $path }, line { $line }: { $what }
error-settings-lost = config.yaml is missing in { $home }, where the state of a repository is
error-stored-nowhere = the backup could not be stored on any destination{ $reasons }
error-too-few-copies = the backup is on { $number } of the { $wanted } destinations that `min_copies` asks for{ $reasons }
error-unreachable = no destination can be reached{ $reasons }
error-wrong-key = the key or passphrase does not fit: { $what }

## What to do about them

hint-add = `cryptbackup add DIR` adds a source, `remove DIR` takes one out, `config show` lists them
hint-add-destination = run `cryptbackup config set destinations.primary DIR`
hint-again = run it again; nothing that was saved before is affected
hint-check = `cryptbackup check --read-data` lists all damage and which snapshots it touches; with --heal it puts right what can be
hint-chmod = run `chmod 600` on it; if somebody may have read it, the key is no longer secret
hint-connect = plug in the disk or mount the share, and give the folder in which `cryptbackup.repo` lies; on a machine without backups so far, run `cryptbackup quickstart` instead
hint-force = it can be used as it is; `cryptbackup init --force` moves it aside and starts anew; for `cryptbackup connect`, move that folder away
hint-force-clean = if it is meant, add --force; `clean` and `purge` tell with --dry-run what they would do
hint-go-on = what was stored so far is found again by the next run
hint-init = run `cryptbackup init`, or `cryptbackup connect DIR` to take up existing backups
hint-key = put back your copy of config.yaml, or give the passphrase that belongs to it, or --key-file FILE, or --recovery-key FILE with the recovery words
hint-listed = `cryptbackup { $command }` lists what there is
hint-look = `cryptbackup status`, `snapshots` and `restore --list` show what there is
hint-memory = what was to be stored did not come out of the memory as it went in; test this machine's memory
hint-more-copies = make room, or make it writable, or connect what is missing, and run it again; or lower `min_copies`
hint-move-away = if it opens existing backups of this program, run `cryptbackup connect DIR`; else move it away or set CRYPTBACKUP_HOME to another folder, then run `cryptbackup init`
hint-no-copy = make room, or make it writable, or connect what is missing, and run it again
hint-nothing-came = look at what was to write it; if an empty file is meant, add --force
hint-others = plug in the other destinations and try again; `cryptbackup check` says what is missing where
hint-permissions = check the permissions of the file and of its folders
hint-plug-in = plug in the disk, mount the share or make it writable, and try again; `cryptbackup status` shows every destination and what to do about it
hint-plugged = check that the disk is plugged in or the share mounted, and try again
hint-read-only = that disk can only be read: make it writable. Where it is the one with the state folder, what is stored can be restored all the same; if not, `CRYPTBACKUP_HOME=FOLDER cryptbackup connect DESTINATION --config COPY` sets up another state folder
hint-rebuild = run `cryptbackup rebuild-index`; it is made anew from the destinations
hint-room = make room on that disk
hint-settings-broken = open { $path } in an editor and mend that, or put back your copy of it
hint-settings-lost = put back your copy of config.yaml, or run `cryptbackup connect DIR` with a destination of that repository; to begin anew, move that folder away, which `cryptbackup init --force` does
hint-show = `cryptbackup config show` prints the configuration, `config set --help` lists its keys
hint-sources = `cryptbackup config show` lists the sources and their excludes
hint-there = nothing was overwritten; give another name, or move what is there away
hint-threads = end other programs, or raise how many processes this user, or its container, may have (`ulimit -u`), and run it again
hint-update = update cryptbackup; nothing is damaged
hint-wait = wait for it to end, then try again

## Destinations and how they are

destinations-heading = Destinations :
destination-absent = Destination not found (device unplugged?)
destination-absent-local = Destination not found (folder moved or deleted?)
destination-absent-nas = Destination not found (share not mounted?)
destination-damaged = Damaged
destination-free = Free: { $size }
destination-full = Full
destination-online = Online
destination-out-of-reach = Out of reach
destination-read-only = It cannot be written
destination-rolled-back = Rolled back, or something is hidden
destination-weak = Names cannot be made durable there at once
destination-wrong-device = Something else is at this place
destination-trouble = { $trouble }: { $detail }
snapshots-behind = { $n } { $n ->
    [one] snapshot behind
   *[other] snapshots behind
}
destination-is-behind = [{ $name }] is behind{ $why }
destination-lacks = [{ $name }] is { $n } { $n ->
    [one] snapshot behind
   *[other] snapshots behind
}{ $why }
behind-hint-absent = it is brought up to date by the next `backup` or `sync` when it is there again
behind-hint-damaged = `cryptbackup check --read-data` lists what is damaged, and `--heal` mends it
behind-hint-full = make room on it, then run `cryptbackup sync`
behind-hint-read-only = make it writable, then run `cryptbackup sync`
behind-hint-rolled-back = `cryptbackup sync` brings back what other destinations have; `cryptbackup destination accept { $name }` takes it as it is
behind-hint-sync = `cryptbackup sync` brings it up to date while a destination that has those snapshots is within reach
behind-hint-wrong-device = bring back what was there; if a copy of it is there now, run `cryptbackup destination accept { $name }`; to begin anew with what is there, run `cryptbackup config set destinations.{ $name } { $path }`

## Problems with single files

problems-heading = { $n } { $n ->
    [one] problem
   *[other] problems
}:
problems-more = … and { $n } more (`-v` lists all)
problem-line = { $path }: { $detail }
problem-hint-changed = what changed while it was read is stored as it was read, and read again next time
problem-hint-damaged = plug in the other destinations and try again; `cryptbackup check --read-data` lists what is damaged where
problem-hint-metadata = owners and some attributes can only be restored by root
problem-hint-never-backed-up = what could not be read when it was backed up is in no snapshot; mend its permissions where it is, and back up again
problem-hint-rotten = its disk or its memory may be failing; look at them, and get the good version back: cryptbackup restore --file FILE --version N
problem-hint-not-restored = mend that and restore again; what is right already is not written again
problem-hint-source-missing = its last backup stands; `cryptbackup remove DIR` takes it out, `backup --force` accepts that it is empty
problem-hint-unreadable = where there is a previous version, it stands in for what could not be read; check its permissions, or leave it out with `cryptbackup exclude PATTERNS`

## Runs that look suspect

suspect = { $path } looks suspect
suspect-why = { $path } looks suspect: of { $files } files { $why }
suspect-changed = { $changed } have another content, that of { $opaque } looks random (encrypted?)
suspect-gone = { $gone } are gone
suspect-changed-and-gone = { $changed }, and { $gone }
suspect-nothing-goes = nothing of it goes: in snapshot { $id } { $why }
suspect-hint = look at the files before you trust this backup; older ones are kept, also by `clean`. If all is as it should be, `cryptbackup backup --accept-changes` says so
suspect-hint-forget = look at the files before you trust this backup; older ones are kept, also by `clean`. If all is as it should be, `cryptbackup backup --accept-changes` says so; `cryptbackup forget` takes out a snapshot that is not as it should be

## Keys, passphrases and recovery words

environment-not-utf8 = { $name } is not UTF-8
secret-none = config.yaml holds no key, no passphrase was given, and there is no terminal to ask on
secret-too-long = it is too long
passphrase-empty = the passphrase is empty
passphrase-no-terminal = there is no terminal to ask for the passphrase on; use --passphrase-file or --passphrase-command
passphrase-ask = Passphrase:
passphrase-ask-new = New passphrase:
passphrase-ask-again = The same again:
passphrases-differ = the two passphrases differ
words-none = { $file } holds no recovery words
key-file-empty = { $file } is empty, and so no key file
the-terminal = the terminal
ended-with = it ended with { $status }
verb-read = read
verb-read-passphrase = read the passphrase from
verb-run = run

## Keys

column-key = Key
column-opened-by = Opened by
column-places = Where
slot-inline = key in config.yaml
slot-passphrase = passphrase
slot-recovery = recovery words
slot-key-file = key file
key-here = this computer
key-in-use = in use
key-removed-still-there = removed; goes with the next backup
key-epoch = New backups are sealed under key { $epoch } of key ring { $ring }.
key-not-looked-at = Not within reach: { $names }
key-behind = [{ $name }] gets this when it is back: { $why }
key-add-what = say what to add: --recovery-key FILE, --passphrase-file FILE, --passphrase-command COMMAND, --key-file FILE or --inline
key-added = Key { $id } added: { $kind }. It opens everything, and the other keys still do.
key-in-file = It is in { $file }. Keep it apart from the backups: whoever has both can read everything.
key-file-short = { $file } has less than 32 bytes and could be guessed; take another file, or a new name, under which a key file is made
key-new-in-config = It is in config.yaml now. Copies of config.yaml made before still open everything, until `cryptbackup key remove` removes the key in them.
key-removed = Key { $id } removed: { $kind }
key-removed-note = whoever copied that key and knows its secret can still open what they have a copy of; see "Keys" in README.md
key-out-of-config = It is out of config.yaml too. From now on this computer needs another key for every command, such as CRYPTBACKUP_PASSPHRASE_FILE or CRYPTBACKUP_KEY_FILE.
key-rotated = What is written from now on is sealed under key { $epoch }. What was written before stays readable, and the same passphrases, words and files open it.
key-exported = The key is in { $file }. On a new machine: `cryptbackup connect DIR --config` and that file.
key-keep-apart = Keep it apart from the backups: whoever has both can read everything.
key-file-heading = Key of the CryptBackup repository { $repo }, for `cryptbackup connect --config`
key-export-none = config.yaml holds no key to export; `cryptbackup key export --words FILE` makes recovery words
key-export-same = the key and the words need two files
key-export-by-itself = the key in config.yaml is exported, and no other opens it for that; leave out the options for keys, or export new words alone with --words FILE

## What is typed

path-empty = a path is empty
verb-resolve = resolve
verb-look-at = look at
verb-handle = handle
verb-write-to = write to
standard-output = standard output
signal = signal { $number }
command-failed = `{ $command }` failed: { $how }
snapshot-not-one = a snapshot is an id prefix, `latest` or `latest~N`
date-too-long-ago = `{ $text }` is too long ago
date-not-one = `{ $text }` is not a date: use 2026-01-15 (the end of that day), 2026-01-15T10:30, 2026-01-15T10:30:00+01:00, or 5h, 2d, 3w for that long ago
percentage-not-one = a percentage above 0 and up to 100 is expected, such as 5%
key-unknown = config.yaml: the key `{ $key }` is not known and has no effect

## Progress

stage-opening = Opening
stage-reading = Reading
stage-catching-up = Catching up
stage-restoring = Restoring
stage-checking = Checking
stage-rebuilding = Rebuilding
stage-cleaning = Cleaning
bar-amount = { $done } of { $total }, { $left } left
would-read = would read { $what }
stopping = Stopping at the next safe point; Ctrl-C once more stops at once.

## Setting up

value-dir = DIR
value-file = FILE
next-steps = Next steps:
folder-added = Folder added: { $path }
folder-replaced = Options of the folder replaced: { $path }
folder-excluded = Excluded: { $patterns }
exclude-none = nothing is left out
exclude-not-set = no source leaves out { $patterns }
exclude-what-if = Without { $patterns }:
exclude-left-out = not read any more
exclude-of = of
exclude-stored = stored of it
exclude-alone = only for it
exclude-largest = The largest of them:
folder-not-there = { $path } does not exist
folder-is-link = { $path } is a symbolic link; add the folder it leads to
folder-is-none = { $path } is not a folder
folder-is-own = { $path } is where this program keeps backups or its own state
folder-no-source = { $path } is not among the sources
folder-removed = Folder removed: { $path }; its backups are kept
initialised = CryptBackup is initialised: { $config }
next-add = what to back up
next-destination = where to
words-only-new = recovery words are made with a new repository only, and there is one already
words-file-exists = { $file } exists already and is not overwritten
words-file-heading = Recovery words of the CryptBackup repository { $repo }
words-shown = Recovery words. Write them down now; they are not shown again:
key-important = IMPORTANT: without the key nothing can ever be restored.
key-is-passphrase = Your passphrase is the key. Nobody can tell it to you again.
key-in-config = It is in config.yaml. Copy that file to another disk or a safe place now:
key-words-in-file = The recovery words in { $file } open it too. Print them, then remove the file.
key-words-above = The recovery words above open it too. Keep them on paper.
moved-aside = What was set up before is kept in { $path }
value-name = NAME
config-keys = KEYS:
config-changed = Configuration changed: { $key } = { $value }
config-key-kept = The key that was there is kept in { $path }
config-not-utf8 = the value is not UTF-8
connect-key-not-put = the key that this computer has now is not on [{ $name }] yet, the next backup puts it there: { $why }
connect-no-key = no key was given; use --config FILE, --recovery-key FILE, --key-file FILE or --passphrase-file FILE
connect-defaults = Excludes, retention and the other settings are in config.yaml alone, not on destinations: they are the defaults now. `cryptbackup exclude PATTERNS` and `cryptbackup config set KEY VALUE` set them again.
connected = Connected to destination [{ $name }]: { $n } { $n ->
    [one] snapshot
   *[other] snapshots
} of
next-list = what there is to restore
next-everything = everything, into DIR
next-go-on = go on backing up from here
destination-accepted = Destination [{ $name }] is accepted.
destination-forgotten = Destination [{ $name }] is forgotten; what is on it stays there.
destination-taken-up = Destination [{ $name }] is { $path }. It holds backups of this repository already and is taken up.
destination-ready = Destination [{ $name }] is { $path }. It is ready.
destination-next = The next `cryptbackup backup` or `sync` brings it up to date.
destination-in-source = It lies in the source { $path } and is left out of its backups.
destination-was = [{ $name }] was { $path } until now; what is on it stays there and is used no more
destination-was-hint = `cryptbackup config set destinations.OTHER { $path }` uses it again, under another name
destination-unknown = there is no destination `{ $name }`
from-now-on = From now on:
next-backup = back up again; only what changed is stored
next-status = how things stand
next-restore = get a file back
next-second = keep a second copy elsewhere
quickstart-done = { $path } is backed up.
quickstart-partial = { $path } is backed up, but not all of it.
quickstart-inside = { $path } lies in the destination it is to be backed up to
quickstart-no-parent = { $path } cannot be created: the folder it would lie in does not exist
quickstart-other-primary = the primary destination is { $path } already; add another with `cryptbackup config set destinations.secondary DIR`
quickstart-holds-backups = { $path } holds backups already; to go on with them, run `cryptbackup connect { $path }`

## Snapshots by hand

forgotten = { $n ->
    [one] Snapshot { $ids } is forgotten.
   *[other] Snapshots { $ids } are forgotten.
}
forgotten-space = { $n ->
    [one] Its space comes back with `cryptbackup clean`; until then `cryptbackup unforget { $ids }` brings it back.
   *[other] Their space comes back with `cryptbackup clean`; until then `cryptbackup unforget { $ids }` brings them back.
}
unforgotten = { $n ->
    [one] Snapshot { $ids } is back.
   *[other] Snapshots { $ids } are back.
}
unforgotten-pin = { $n ->
    [one] `cryptbackup pin { $ids }` keeps it whatever the rules say.
   *[other] `cryptbackup pin { $ids }` keeps them whatever the rules say.
}
pinned = { $n ->
    [one] Snapshot { $ids } is pinned and stays whatever the rules say.
   *[other] Snapshots { $ids } are pinned and stay whatever the rules say.
}
unpinned = { $n ->
    [one] Snapshot { $ids } is not pinned any more: the rules decide again.
   *[other] Snapshots { $ids } are not pinned any more: the rules decide again.
}
tags-none = Snapshot { $id } has no tags now.
tags-now = Snapshot { $id } has these tags now: { $tags }
note-none = Snapshot { $id } has no note now.
note-now = Snapshot { $id } has a note now: { $note }

## Backups

backup-files = { $added } new, { $changed } changed, { $unmodified } unmodified { $unmodified ->
    [one] file
   *[other] files
} in { $folders } { $folders ->
    [one] folder
   *[other] folders
}
backup-done = Snapshot { $id }: { $files }
backup-dry-run = Dry run, nothing was written: { $files }
backup-none = No snapshot was made: { $files }
backup-excluded = { $n } { $n ->
    [one] entry
   *[other] entries
} left out
backup-would-read = { $size } would be read
backup-bytes = { $read } read, { $added } new, { $stored } stored, in { $duration }
backup-accepted = { $n ->
    [one] Snapshot { $ids } accepted
   *[other] Snapshots { $ids } accepted
}
backup-rechecked = { $n ->
    [one] { $n } unchanged file read again
   *[other] { $n } unchanged files read again
}
backup-pinned = { $n ->
    [one] Snapshot { $ids } is pinned: it holds the good version
   *[other] Snapshots { $ids } are pinned: they hold the good versions
}
backup-list-empty = there is no path in { $file }
backup-stdin-terminal = nothing comes through a pipe: `COMMAND | cryptbackup backup --stdin NAME`, or `cryptbackup backup --stdin NAME -- COMMAND`
backup-protected = Protected on { $copies } of { $n } { $n ->
    [one] destination
   *[other] destinations
}
backup-saved = saved, { $n } { $n ->
    [one] pack
   *[other] packs
} written
backup-saved-and-copied = saved, { $n } { $n ->
    [one] pack
   *[other] packs
} written, { $copied } copied
backup-not-saved = not saved
backup-not-cleaned = the backup is done, but cleaning after it failed: { $why }

smart-on = Smart mode: important files first
smart-sorted = { $n } { $n ->
    [one] file
   *[other] files
} to be read, { $size }
smart-first = The { $n } that { $n ->
    [one] comes
   *[other] come
} first:
column-score = Score
column-recency = Recent
column-kind = Kind
column-changes = Changes
column-file = File

## Status

status-sources = Sources :
status-no-source = none yet: cryptbackup add DIR
status-no-destination = none yet: cryptbackup config set destinations.primary DIR
status-standing = How they stand :
status-space = Space to come back :
status-backups = Backups :
status-last-backup = Last backup
status-files = Files
status-snapshots = Snapshots
status-going = To be cleaned
status-going-none = none
status-going-some = { $n } { $n ->
    [one] snapshot
   *[other] snapshots
} by the rules: cryptbackup clean
status-full-copies = As full copies
status-stored = Stored
status-saved = Saved
status-saved-deduplication = by duplicates
status-saved-compression = by compression
standing-last = last backup { $ago }
standing-no-snapshot = nothing is whole there yet
standing-does-not-grow = does not grow
standing-lasts = room for { $span } at this rate
standing-proven = { $percent } % proven in the last { $days } days, last { $ago }
standing-never-proven = never tried: cryptbackup drill
span-hours = less than a day
span-days = about { $n } { $n ->
    [one] day
   *[other] days
}
span-months = about { $n } { $n ->
    [one] month
   *[other] months
}
span-years = about { $n } { $n ->
    [one] year
   *[other] years
}
span-long = more than { $n } years
status-reclaimable = about { $size } at the last look: cryptbackup clean
status-suspect = since snapshot { $id } ({ $when }) { $why }; nothing of it is cleaned
status-suspect-hint = look at the files; if all is as it should be, run `cryptbackup backup --accept-changes`
status-overdue = { $path } has no whole backup for longer than it should (`status.warn_days`); the last one: { $last }
status-never = { $path } was never backed up as a whole (told unless `status.warn_days` is 0)
status-few-destinations = { $n } { $n ->
    [one] copy is
   *[other] copies are
} wanted (min_copies) and fewer destinations are configured
status-lone-key = there is no key but the one in config.yaml on this disk: keep a copy of that file in a safe place
source-last = last backup { $ago }
source-never = not backed up yet
source-unread = not read by the last backup that tried
source-problems = with { $n } { $n ->
    [one] problem
   *[other] problems
}
source-good = without one { $ago }

## Listings

list-heading = History of { $path }
list-newest = the newest { $shown } of { $all }
column-version = Version
column-first-seen = First seen
column-last-seen = Last seen
column-size = Size
column-modified = Modified
column-snapshot = Snapshot
column-time = Time
column-machine = Machine
column-files = Files
column-destinations = Destinations
column-pin = Pin
column-tags = Tags
column-note = Note
column-sources = Sources
version-deleted = deleted after this
version-current = current
version-in-history = only in the history
snapshots-none = There are no snapshots yet.
root-not-read = { $path } (not read)
snapshot-pinned = pinned
snapshot-partial = partial
snapshot-chosen = chosen files
ls-version = version { $number }

## Restoring

restore-what = give --file, --directory, --snapshot or --list
restore-chosen = Chosen: { $what }
restore-note = Note: { $note }
restore-dry-run = Dry run, would restore { $n } { $n ->
    [one] file
   *[other] files
}, { $size } to { $target }
restore-would-delete = Would delete: { $path }
restore-would-delete-all = Would delete { $n } { $n ->
    [one] entry
   *[other] entries
} in all
restore-begins = Restoring { $n } { $n ->
    [one] file
   *[other] files
}, { $size } to { $target }
restored-file = Restored { $n } { $n ->
    [one] file
   *[other] files
}, { $size } in { $duration }
restored-folder = Restored { $n } { $n ->
    [one] file
   *[other] files
}, { $size } in { $duration }
restore-skipped = Left as they were: { $n } { $n ->
    [one] file
   *[other] files
}, { $size }
restore-sockets = Left out: { $n } { $n ->
    [one] socket
   *[other] sockets
}; the programs that listen there make them anew
restore-deleted = Deleted: { $n } { $n ->
    [one] entry
   *[other] entries
}
restore-verified = Verified: what is there now was read again and is what was backed up
file-deleted = deleted
restored-snapshot = Restored { $n } { $n ->
    [one] file
   *[other] files
}, { $size } in { $duration }

## Cleaning

stays-newest = newest of { $path }
stays-last-of-writer = the last its machine made of { $path }
stays-nothing-newer = nothing is newer
stays-future = later than the clock
stays-pinned = pinned
stays-suspect = a backup of { $path } looks suspect
stays-young = younger than { $n } { $n ->
    [one] day
   *[other] days
}
stays-last = among the newest { $n }
stays-hourly = newest of its hour
stays-daily = newest of its day
stays-weekly = newest of its week
stays-monthly = newest of its month
stays-yearly = newest of its year
clean-dry-run = Dry run, nothing was deleted
clean-stays = stays: { $reasons }
clean-goes = goes
clean-count = { $staying } { $staying ->
    [one] snapshot stays
   *[other] snapshots stay
}, { $going } went
clean-count-dry-run = { $staying } { $staying ->
    [one] snapshot stays
   *[other] snapshots stay
}, { $going } { $going ->
    [one] goes
   *[other] go
}
clean-history = History: { $kept } { $kept ->
    [one] version of a file is
   *[other] versions of files are
} kept, { $dropped } went
clean-history-dry-run = History: { $kept } { $kept ->
    [one] version of a file is
   *[other] versions of files are
} kept, { $dropped } { $dropped ->
    [one] goes
   *[other] go
}
clean-snapshots = { $n } { $n ->
    [one] snapshot or history
   *[other] snapshots and histories
}
clean-packs-anew = { $n } { $n ->
    [one] pack
   *[other] packs
} ({ $anew } written anew)
clean-packs-anew-dry-run = { $n } { $n ->
    [one] pack
   *[other] packs
} ({ $anew } to be written anew)
clean-deleted = { $what } deleted
clean-to-delete = { $what } would be deleted
clean-nothing = nothing to do
clean-freed = { $size } came back
clean-would-free = about { $size } would come back
clean-waits = { $size } come back with the first `clean` after { $when }, since other machines use it too
clean-would-wait = about { $size } would come back after the grace period, since other machines use it too
clean-future = { $n ->
    [one] Snapshot { $ids } is later than the clock of this machine: no rule counts them
   *[other] Snapshots { $ids } are later than the clock of this machine: no rule counts them
}
clean-future-hint = look at the clock; `cryptbackup forget SNAPSHOT` removes what a wrong clock made
clean-refused = refused without --force: { $why }
clean-held = not cleaned without --force: { $why }
clean-held-unattended = not cleaned: { $why }
clean-held-hint = `cryptbackup clean --dry-run` shows what would go; `cryptbackup clean` does it
clean-failed = { $name } could not be cleaned{ $why }
clean-failed-hint = it keeps what it has; the next `cryptbackup clean` that can use it cleans it
clean-went = { $n } { $n ->
    [one] snapshot
   *[other] snapshots
} went
clean-after-backup = Cleaned: { $what }

## Looking for damage

check-hint-elsewhere = `cryptbackup check --heal`, with --read-data where data are damaged, writes it again from where it is whole
check-hint-plug-in = plug in the destinations that were not there and run it again; the next `cryptbackup backup` stores anew what is lost and still in the sources
check-hint-nowhere-else = there is no other destination to take it from; the next `cryptbackup backup` stores anew what is missing, and `cryptbackup config set destinations.NAME DIR` adds a second destination
check-not-checked = [{ $name }] was not checked: { $why }
check-not-read = Their data were not read; --read-data does that. Checked in { $duration }.
check-read = { $n } { $n ->
    [one] pack
   *[other] packs
} read in { $size }. Checked in { $duration }.
check-damaged = { $n } { $n ->
    [one] damaged object
   *[other] damaged objects
} found.
check-all-healed = All of it was healed.
check-left = { $n } { $n ->
    [one] damaged object is
   *[other] damaged objects are
} left.
check-nothing-wrong = nothing wrong
check-findings = { $n } { $n ->
    [one] finding
   *[other] findings
}
no-damage = No damage found.
finding = { $word }: { $what }
finding-affects = { $what }; affects { $ids }
finding-damage = damage
finding-healed = healed
finding-left = left
finding-notice = notice
finding-on = { $object } on [{ $name }]: { $what }
scrub-finding = { $object }: { $what }
scrub-read = { $n } { $n ->
    [one] file
   *[other] files
} read, { $size }, in { $duration }.
scrub-hint = run `cryptbackup check --read-data --heal` where the repository is set up; it takes what is damaged from another destination

## Drills

drill-budget-not-one = a budget is a size of at least { $least }, such as 500MB, or a time such as 30s, 5min or 2h
drill-nothing = [{ $name }] nothing is backed up there yet
drill-parts = { $n } { $n ->
    [one] part of a large file
   *[other] parts of large files
}
drill-restored = [{ $name }] { $what } restored, { $size }, read as { $read }, { $findings }
drill-compared = { $n } compared with the files themselves
drill-proven = { $restored }; { $compared }; { $percent } % of this destination is proven now
drill-not-drilled = [{ $name }] was not drilled: { $why }
drill-finding = { $object } from [{ $name }]: { $what }
finding-metadata = metadata
finding-not-restored = not restored
finding-source-differs = changed unseen
drill-hint-damaged = `cryptbackup check --read-data --heal` writes what is damaged again from where it is whole
drill-hint-source-differs = the backup has the file as it was: `cryptbackup restore --file FILE --destination ELSEWHERE`, then compare the two; the disk or the memory of this machine may be failing
drill-hint-not-restored = look at the disk that has the state folder: this says nothing about the destination

## Other commands

purge-dry-run = Dry run, nothing was written: { $path } would be taken out of { $found }
purge-done = { $path } was taken out of { $found }. Its space comes back with `cryptbackup clean`.
purge-failed = [{ $name }] still has it: { $why }
purge-failed-hint = `cryptbackup sync` brings the new snapshots there, then `cryptbackup clean` removes the old ones
purge-in-source = it lies in a source: if it is still there, the next backup stores it again
purge-in-source-hint = delete it, or leave it out with `cryptbackup exclude PATTERNS`
sync-copied = { $what } copied, { $size }
sync-up-to-date = up to date
index-rebuilt = The index is rebuilt from { $names }: { $snapshots }, { $packs }, { $chunks }
index-kept = The old one is kept in { $path }
fact-version = Program
fact-format-version = Format
fact-os = System
fact-kernel = Kernel
fact-architecture = Architecture
fact-cores = Cores
fact-memory = Memory
fact-cpu-features = CPU features
fact-time-zone = Time zone
fact-home = State folder
fact-config = Configuration
fact-initialised = Initialised
fact-mode = its mode
fact-true = true
fact-false = false

du-depth = --depth is for folders: leave it out, or give `--by folder`
du-no-type = without an ending
du-several = in several snapshots
column-needed = Needs
column-alone = Only here
man-unknown = there is no command `{ $command }`
man-written = { $n } manual { $n ->
    [one] page
   *[other] pages
} written into { $folder }

## Looking into backups

find-nothing = nothing was found
find-folder = folder
find-version = version { $number }
find-modified = modified { $when }
find-seen = seen { $first } to { $last }
find-snapshot = snapshot { $id }
dump-json = standard output is for what is dumped; give --output FILE with --json
dump-done = { $n } { $n ->
    [one] file
   *[other] files
}, { $size }, in { $path }
dump-terminal = an archive is not for a terminal: send it into a file or a pipe, or give --output FILE
verb-write = write
diff-sizes = { $before } to { $after }
diff-added = { $n } added ({ $size })
diff-removed = { $n } removed ({ $size })
diff-changed = { $n } changed
diff-metadata = { $n } with other metadata
diff-unseen = { $n } { $n ->
    [one] file has
   *[other] files have
} another content though size and time are the same: a disk may have changed it, or a program that hides its traces

## watch

watch-foreground = It stays in the foreground; a service manager such as systemd puts it into the background.
watch-starting = Starting to watch…
watch-began = Watching
watch-sources = { $n } { $n ->
    [one] source
   *[other] sources
}, { $folders } { $folders ->
    [one] folder watched
   *[other] folders watched
}
watch-interval = Backups at most every { $n } { $n ->
    [one] second
   *[other] seconds
}
watch-how-to-stop = Ctrl-C stops it
watch-unwatched = { $path } is not watched but looked at every interval: { $why }
watch-missed = { $when }  Everything is looked at: { $why }
watch-changed = changed { $path }
watch-went = { $when }  [{ $name }] is gone
watch-came = { $when }  [{ $name }] is there
watch-saved = { $when }  Snapshot { $snapshot }: { $new } new, { $changed } changed, { $stored } stored, in { $duration }, on { $destinations }
watch-same = { $when }  Nothing differs
watch-caught-up = { $when }  [{ $name }] caught up with { $snapshots }
watch-cleaning-failed = cleaning failed: { $why }
watch-tried-again = { $what }; it is tried again
watch-ended = Watching ended
watch-statistics = Statistics :
watch-total-time = Watched for: { $duration }
watch-total-changes = Changes noticed: { $n }
watch-total-backups = Backups: { $n }, { $whole } of them of everything
watch-total-snapshots = Snapshots: { $n }
watch-total-files = Files saved: { $n }
watch-total-read = Data read: { $size }
watch-total-stored = Data stored: { $size }
watch-total-caught-up = Snapshots caught up with: { $n }
watch-total-failures = Failures: { $n }
watch-total-problems = Problems: { $n }
