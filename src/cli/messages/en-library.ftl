### What the library says, word for word as it says it: by these a sentence is known, and its French is in
### `fr-library.ftl`. What stands for `$what` or `$why` is itself said by the library; the rest is names and numbers.

## The system

said-no-such-file-or-directory-os = No such file or directory (os error 2)
said-operation-not-permitted-os-error-1 = Operation not permitted (os error 1)
said-input-output-error-os-error-5 = Input/output error (os error 5)
said-permission-denied-os-error-13 = Permission denied (os error 13)
said-file-exists-os-error-17 = File exists (os error 17)
said-not-a-directory-os-error-20 = Not a directory (os error 20)
said-is-a-directory-os-error-21 = Is a directory (os error 21)
said-no-space-left-on-device-os = No space left on device (os error 28)
said-resource-temporarily-unavailable-os-error-11 = Resource temporarily unavailable (os error 11)
said-file-too-large-os-error-27 = File too large (os error 27)
said-read-only-file-system-os-error = Read-only file system (os error 30)
said-directory-not-empty-os-error-39 = Directory not empty (os error 39)
said-stale-file-handle-os-error-116 = Stale file handle (os error 116)
said-connection-timed-out-os-error-110 = Connection timed out (os error 110)
said-disk-quota-exceeded-os-error-122 = Disk quota exceeded (os error 122)

## Verbs, after `cannot`

said-clean-up = clean up
said-create = create
said-create-a-folder-in = create a folder in
said-delete = delete
said-list = list
said-lock = lock
said-look-at = look at
said-move-aside = move aside
said-open = open
said-read = read
said-replace = replace
said-restore-to = restore to
said-sync = sync
said-write = write
said-open-the-destination = open the destination
said-create-the-destination = create the destination
said-find-the-destination = find the destination
said-sync-the-file-system = sync the file system
said-write-to-the-destination = write to the destination
said-measure-the-free-space = measure the free space
said-make-the-folder = make the folder { $name }
said-sync-the-folder = sync the folder { $name }
said-delete-2 = delete { $name }
said-list-2 = list { $name }
said-open-2 = open { $name }
said-read-2 = read { $name }
said-replace-2 = replace { $name }
said-write-2 = write { $name }
said-remember-snapshot = remember snapshot { $id }
said-what-was-dumped = what was dumped

## In general

said-list-of-sentences = { $why }; { $also }
said-list-of-parts = { $what }, { $also }
said-interrupted = interrupted
said-cannot = cannot { $what } { $name }: { $why }
said-cannot-on = cannot { $what } on { $name }: { $why }
said-not-found = not found: { $what }
said-on-is-damaged = { $name } on { $place } is damaged: { $why }
said-is-damaged-on = { $name } is damaged on { $place }: { $why }
said-another-machine-cleaned-a-destination-meanwhile = another machine cleaned a destination meanwhile, and what this run relied on is gone
said-a-destination-failed-that-has-what = a destination failed that has what others lack
said-damaged-packs-were-met = damaged packs were met, which nothing must rely on
said-the-run-is-repeated = { $why }; the run is repeated.
said-another-writer-deleted-what-the-snapshot = another writer deleted what the snapshot needs
said-try-again = { $why }; try again

## Setting up

said-a-configuration-without-the-state-that = a configuration without the state that belongs to it
said-the-sqlite-database-of-an-earlier = the SQLite database of an earlier program
said-cryptbackup-home-is-it-must-be = CRYPTBACKUP_HOME is `{ $path }`: it must be an absolute path
said-there-is-no-home-folder-set = there is no home folder; set CRYPTBACKUP_HOME to the state folder
said-this-state-folder-has-no-writer = this state folder has no writer
said-encryption-key-is-not-a-key = `encryption.key` is not a key of this program (44 characters of base64)
said-it-cannot-be-written-2 = it cannot be written
said-these-are-not-24-valid-recovery = these are not 24 valid recovery words; check for a word that was miscopied
said-config-yaml-holds-no-key-give = config.yaml holds no key; give the passphrase (--passphrase-file, CRYPTBACKUP_PASSPHRASE, or on a terminal when asked)
said-there-is-no-readable-key-slot = there is no readable key slot in { $path }
said-the-key-of-config-yaml-does = the key of config.yaml does not open the repository in { $path }
said-the-passphrase-does-not-open-the = the passphrase does not open the repository in { $path }
said-the-recovery-words-do-not-open = the recovery words do not open the repository in { $path }
said-the-key-file-does-not-open = the key file does not open the repository in { $path }
said-this-key-was-removed-from-the = this key was removed from the repository in { $path }, and opens it no more
said-none-of-the-key-slots-opens = none of the { $tried } key slots that were tried, of { $count } in { $path }, opens with it: somebody may have put them there; use another destination, or delete the files in its `keys` folder that are no key of yours
said-there-are-so-many-keys-already = there are { $count } keys already; remove one first, with `cryptbackup key remove`
said-it-opens-the-repository-already-it = it opens the repository already: it is the key { $id }
said-it-is-the-only-key-without = it is the only key: without it nobody could open the repository; add another one first
said-it-is-the-key-that-opens = it is the key that opens the repository now: to remove it, open the repository with another one
said-is-not-a-key-give-the = `{ $text }` is not a key: give the first digits of its id
said-several-keys-begin-with = several keys begin with `{ $text }`; give more digits
said-key = key `{ $text }`
said-no-thread-can-be-started = no thread can be started: { $why }
said-the-system-could-not-provide = the system could not provide { $name }

## The configuration

said-it-cannot-be-understood-look-at = it cannot be understood; look at the indentation, the quotes and the `: ` after each key
said-it-cannot-have-this-value = it cannot have this value
said-there-is-no-such-key-there = there is no such key; there are: { $list }
said-there-is-no-such-key-in = there is no such key; in this section there are: { $list }
said-sources-are-changed-with-add-and = sources are changed with `add` and `remove`
said-the-size-of-packs-is-chosen = the size of packs is chosen by `init --pack-size` and holds for the life of the repository
said-is-written-by-the-program-and = is written by the program and cannot be changed
said-is-not-set = is not set
said-there-is-no-destination = there is no destination `{ $name }`
said-there-is-no-destination-of-that = there is no destination of that name
said-there-is-no-destination-called = there is no destination called `{ $name }`
said-is-not-true-or-false = `{ $text }` is not true or false
said-is-not-a-whole-number-from = `{ $text }` is not a whole number from { $least } on
said-is-too-large = { $text } is too large
said-is-not-a-share-from-1 = `{ $text }` is not a share from 1 to 100 percent
said-is-not-a-level-from-1 = `{ $text }` is not a level from 1 to 22, or off
said-is-not-a-number = `{ $text }` is not a number
said-is-not-between-0-and-10 = `{ $text }` is not between 0 and 10
said-is-not-known-data-are-sealed = `{ $text }` is not known; data are sealed with { $name }
said-is-not-known-blocks-are-zstd = `{ $text }` is not known; blocks are zstd frames
said-is-not-a-size-such-as = `{ $text }` is not a size such as 96MiB or 1.5GB
said-must-be-at-least = must be at least { $least }
said-must-be-at-least-1-second = must be at least 1 second
said-must-be-from-to-in-steps = must be from { $least } to { $most }, in steps of { $step }
said-must-be-more-than-nothing-unset = must be more than nothing; unset the key for no limit
said-is-not-a-name-1-to = `{ $name }` is not a name: 1 to 32 letters, digits, `-` and `_`
said-the-path-is-empty = the path is empty
said-is-a-relative-path = `{ $path }` is a relative path; write the whole one
said-has-in-it-write-the-path = `{ $path }` has `..` in it; write the path without
said-is-there-twice-take-one-of = `{ $path }` is there twice; take one of them out
said-is-not-a-key-32-bytes = is not a key: 32 bytes in base64
said-it-is-not-a-file = it is not a file
said-it-is-too-long-to-be = it is too long to be a configuration
said-is-not-a-version = `{ $text }` is not a version
said-layout-needs-a-newer-program = layout { $text } needs a newer program

## Destinations

said-does-not-exist-is-the-disk = { $path } does not exist: is the disk plugged in, the share mounted?
said-to-begin-anew-with-what-is = { $why }; to begin anew with what is there, run `cryptbackup config set { $set }`
said-is-not-a-destination-is-the = { $path } is not a destination: is the disk plugged in, the share mounted?
said-is-another-destination-of-this-repository = { $path } is another destination of this repository
said-belongs-to-another-repository = { $path } belongs to another repository, { $id }
said-on-cannot-be-used = { $name } on { $path } cannot be used: { $why }
said-cannot-be-opened = { $path } cannot be opened: { $why }
said-is-not-there = { $path } is not there
said-the-folder-above-does-not-exist = the folder above { $path } does not exist: is the disk plugged in, the share mounted?
said-is-not-a-folder = { $path } is not a folder
said-is-a-destination-already = { $path } is a destination already
said-cannot-become-a-destination-is-in = { $path } cannot become a destination: { $name } is in the way
said-is-at-its-place = { $what } is at its place
said-it-holds-another-repository = it holds another repository
said-it-names-another-repository-than-dest = it names another repository than dest.id
said-it-is-a-copy-of-another = it is a copy of another destination; add it again under its name
said-is-the-destination-already = { $path } is the destination `{ $name }` already
said-is-the-destination-also-at = { $path } is the destination `{ $name }` already, which is also at { $other }
said-is-the-destination-or-a-copy = { $path } is the destination `{ $name }`, or a copy of it, and nothing of it is at { $other } now: if that is where it is from now on, run `cryptbackup config set { $set }`; if it is a copy, connect `{ $name }` too and run this again
said-the-source-lies-in-it-choose = the source { $path } lies in it; choose a folder of its own
said-it-lies-in-choose-a-folder = it lies in { $what }, { $path }; choose a folder of its own
said-lies-in-it-choose-a-folder = { $what }, { $path }, lies in it; choose a folder of its own
said-the-destination = the destination `{ $name }`
said-the-state-folder = the state folder
said-a-folder-that-belongs-to-the = a folder that belongs to the destination is missing
said-the-folder-is-no-longer-where = the folder is no longer where it was
said-its-path-no-longer-leads-to = its path no longer leads to the folder that was opened
said-dest-id-is-no-longer-what = dest.id is no longer what it was when it was opened
said-dest-id-cannot-be-read = dest.id cannot be read: { $why }
said-it-accepted-nothing-for-seconds = it accepted nothing for { $n } seconds
said-it-is-slower-than-the-others = it is slower than the others and catches up afterwards
said-interrupted-while-it-caught-up = interrupted while it caught up
said-it-lacks-some-of-what-the = it lacks some of what the snapshot needs
said-snapshot-is-not-whole-within-reach = snapshot { $id } is not whole within reach: { $why }
said-it-was-written-and-does-not = it was written and does not show in the listing of its folder
said-it-shows-less-than-on-it = it shows less than on { $when }: it lacks { $what }
said-snapshot = { $n } snapshot ({ $ids })
said-snapshots = { $n } snapshots ({ $ids })
said-snapshot-2 = { $n } snapshot ({ $ids }), { $also }
said-snapshots-2 = { $n } snapshots ({ $ids }), { $also }
said-pack = { $n } pack
said-packs = { $n } packs
said-decision-about-snapshots = { $n } decision about snapshots
said-decisions-about-snapshots = { $n } decisions about snapshots
said-other-snapshots-have-the-numbers-of = other snapshots have the numbers of those seen before ({ $ids })
said-cryptbackup-sync-brings-back-what = { $why }; `cryptbackup sync` brings back what other destinations have, and if this is meant (a disk restored from an image), `cryptbackup destination accept { $name }` takes it as it is
said-packs-on-it-are-damaged = packs on it are damaged: { $n }; `cryptbackup check --heal` mends what it can
said-snapshots-on-need-what-is-not = Snapshots on [{ $name }] need what is not there, nor on another destination within reach; `cryptbackup check` names the files.
said-it-has-later-snapshots-and-lacks = it has later snapshots and lacks { $n } that other destinations have ({ $ids }): it was being brought up to date, or somebody removed them
said-holds-another-repository-choose-another-folder = { $path } holds another repository ({ $id }); choose another folder, or use `connect` to work with that one
said-dest-id-cannot-be-read-and = `dest.id` cannot be read, and this machine never saw it: another one may know it
said-it-is-not-a-regular-file = it is not a regular file
said-the-range-ends-before-it-starts = the range ends before it starts
said-bytes-are-more-than-the-that = { $n } bytes are more than the { $most } that are possible
said-bytes-were-written-but-the-file = { $n } bytes were written, but the file has { $other }
said-what-was-put-there-last-may = { $why }; what was put there last may be lost with the power: { $also }
said-it-is-not-in-the-index = it is not in the index
said-would-be-larger-than-any-object = { $name } would be larger than any object may be
said-it-was-deleted-while-it-was = it was deleted while it was compared
said-something-that-is-not-a-file = something that is not a file has its name
said-the-record-is-malformed = the { $name } record is malformed: { $text }
said-the-is-outside-the-allowed-range = the { $name } is outside the allowed range
said-is-damaged-what-is-left = [{ $name }] is damaged ({ $why }): what is left of it is read. `cryptbackup check --heal` puts it right.
said-folders-were-missing = Folders that were missing on { $place } are made: { $n }. Programs that copy may leave out empty ones; `cryptbackup check` tells whether anything is lost.
said-is-damaged-the-keys-tell = { $what }. The keys tell what it is, and it is written again.
said-other-computers-have-to-accept = Other computers that know this destination have to run `cryptbackup destination accept` with its name.
said-neither-what-says-what-it-is = neither what says what it is nor a key ring can be read
said-shows-everything-again = [{ $name }] shows everything again.
said- = [{ $name }]: { $why }.
said-what-was-seen-on-before-is = What was seen on [{ $name }] before is not known here any more; it is learned anew.
said-how-fast-destinations-fill-could-not = How fast destinations fill could not be noted: { $error }.

## The index

said-the-index-was-missing-and-is = The index was missing and is rebuilt from the destinations within reach.
said-the-index-could-not-be-used = The index could not be used ({ $why }); it was moved to { $path } and is rebuilt from the destinations within reach.
said-there-is-no-index-yet = there is no index yet
said-another-command-is-writing-to-the = another command is writing to the index
said-there-is-no-room-on-the-disk = there is no room on the disk that it is on
said-nothing-can-be-written-to-the = Nothing can be written to the state folder: what came to destinations lately, or went, is not known.
said-the-disk-with-the-state-folder = The disk with the state folder is full: what came to destinations lately is not known.
said-the-index-cannot-be-used = the index cannot be used: { $why }
said-it-belongs-to-another-repository = it belongs to another repository
said-it-has-the-layout-of-another = it has the layout of another version of this program
said-it-is-damaged = it is damaged
said-this-index-already-knows-64-destinations = this index already knows 64 destinations; forget some and run `cryptbackup rebuild-index`
said-a-chunk-is-on-no-destination = a chunk is on no destination that can be reached
said-snapshot-could-not-be-read-whole = Snapshot { $id } could not be read whole: { $why }.

## Backups

said-no-source-is-configured-add-one = no source is configured; add one with `cryptbackup add DIR`
said-no-source-could-be-read = no source could be read: { $why }
said-the-list-has-nothing = the list of files has nothing of these sources in it
said-is-in-the-list-and-in-no = { $path } is in the list of files and in no source; add its folder with `cryptbackup add DIR`
said-is-in-the-list-and-not-asked-for = { $path } is in the list of files and in none of the sources that are asked for
said-it-is-in-the-list-and-left-out = it is in the list of files and was left out, by a rule or because it is behind a link
said-it-is-in-the-list = it is in the list of files and is not there
said-is-no-folder-stores-it = { $path } is no folder; `cryptbackup backup --stdin { $name }` stores it
said-its-content-is-another-one = its content is another one though nobody wrote it; version { $n } is the good one
said-it-holds-what-rotted = it holds what rotted in a source since
said-is-no-name-of-a-file = { $path } is no name of a file
said-is-a-source-already = { $path } is a source already; choose another name
said-another-machine-cleaned-here = another machine cleaned here while it was looked at; run `cryptbackup check` again
said-what-was-read-again-is-not = What was read again is not remembered: { $why }.
said-is-no-source = { $path } is no source
said-a-smart-backup-reads = a smart backup reads everything that changed, and nothing else
said-the-end-of-the-stream = the end of the stream was not seen
said-partial-snapshot = partial snapshot { $id }: { $done } of { $all } MB are in it
said-the-source-does-not-exist = the source { $path } does not exist
said-the-source-cannot-be-read = the source { $path } cannot be read
said-the-source-is-a-folder-in = the source { $path } is a folder in which this program keeps backups or its own state
said-the-exclude-is-not-a-valid = the exclude `{ $pattern }` is not a valid pattern: { $why }
said-there-is-nothing-after-the = there is nothing after the `!`
said-it-is-too-long = it is too long
said-it-cannot-be-read = it cannot be read: { $why }
said-it-cannot-be-opened = it cannot be opened: { $why }
said-it-cannot-be-looked-at = it cannot be looked at: { $why }
said-the-folder-cannot-be-listed = the folder cannot be listed: { $why }
said-its-extended-attributes-cannot-be-read = its extended attributes cannot be read: { $why }
said-it-is-gone = it is gone
said-it-is-not-a-file-any = it is not a file any more
said-it-was-replaced-by-another-file = it was replaced by another file
said-another-name-of-the-same-file = another name of the same file could not be read
said-it-changed-while-it-was-read = it changed while it was read; what was read is stored, and it is read again next time
said-on-was-damaged-and-has-been = { $name } on { $place } was damaged and has been mended.
said-could-not-be-completed = { $name } could not be completed: { $why }.
said-read-from-instead = { $why }; read from { $name } instead
said-on-does-not-match-its-name = { $name } on { $place } does not match its name
said-a-block-does-not-hold-the = a block does not hold the chunk it should
said-is-not-a-configured-source-these = { $path } is not a configured source; these are: { $list }
said-the-source-is-a-link-now = the source { $path } was a folder in the last snapshot and is a link to { $target } now, which is not followed: is that the folder to back up? If it really is a link now, run `cryptbackup backup --force` once
said-the-source-is-no-folder-now = the source { $path } was a folder in the last snapshot and is none any more: was it moved? If it really is none now, run `cryptbackup backup --force` once
said-the-source-is-suddenly-empty-while = the source { $path } is suddenly empty, while the last snapshot has files in it: is its disk mounted? If it really is empty now, run `cryptbackup backup --force` once
said-extended-attributes-cannot-be-read = extended attributes cannot be read: { $list }
said-it-is-not-utf-8 = it is not UTF-8
said-line-is-not-a-pattern-and = line { $n } is not a pattern and was not applied: { $why }
said-its-patterns-were-not-applied = its patterns were not applied: { $why }
said-the-range-is-upside-down = the range { $first }-{ $last } is upside down
said-all-attributes-together-are-too-large = all attributes together are too large
said-unknown-kind-of-entry = unknown kind of entry
said-its-folder-was-moved-away = its folder was moved away
said-carried = carried
said-unread = unread
said-unsettled = unsettled
said-it-is-too-long-for-an = it is too long for an ignore file and was not applied
said-it-cannot-be-read-and-was = it cannot be read and was not applied: { $why }

## What is looked for

said-in-any-snapshot = { $path } in any snapshot
said-in-this-snapshot = { $path } in this snapshot
said-in-snapshot = { $path } in snapshot { $id }
said-in-any-history = { $path } in any history
said-at-or-before = { $path } at or before { $when }
said-version-of-there-are = version { $number } of { $path }; there are { $list }
said-any-history = any history
said-snapshot-3 = snapshot `{ $name }`
said-snapshot-4 = snapshot { $id }
said-snapshot-there-are-snapshots = snapshot `{ $name }`: there are { $n } snapshots
said-is-not-a-snapshot-write-latest = `{ $name }` is not a snapshot: write latest or latest~2
said-is-not-a-snapshot-give-the = `{ $name }` is not a snapshot: give the first digits of its id, or latest
said-several-snapshots-begin-with-give-more = several snapshots begin with `{ $name }`; give more digits
said-several-forgotten-snapshots-begin-with-give = several forgotten snapshots begin with `{ $name }`; give more digits
said-forgotten-snapshot = forgotten snapshot `{ $name }`
said-forgotten-snapshot-another-one-stands-in = forgotten snapshot `{ $name }`: another one stands in its place
said-forgotten-snapshot-its-space-was-given = forgotten snapshot `{ $name }`: its space was given back
said-forgotten-snapshot-the-destination-that-has = forgotten snapshot `{ $name }`: the destination that has it is out of reach
said-give-a-tag-to-add-or = give a tag to add or to remove
said-a-tag-has-1-to-bytes = a tag has 1 to { $n } bytes
said-a-note-has-at-most-bytes = a note has at most { $n } bytes
said-is-not-a-pattern = `{ $pattern }` is not a pattern: { $why }
said-two-folders-of-this-machine-are = two folders of this machine are compared by other programs; give a snapshot
said-it-is-not-in-the-archive = it is not in the archive: { $why }
said-such-an-archive-has-no-place = such an archive has no place for it
said-what-was-stored-of-it-cannot = what was stored of it cannot be read: { $why }

## Restoring

said-version-known-saved-snapshot = version { $number } ({ $n } known), saved { $when }, snapshot { $id }
said-version-known-saved-history = version { $number } ({ $n } known), saved { $when }, history { $id }
said-snapshot-5 = snapshot { $id }, { $when }
said-at-an-unknown-time = at an unknown time
said-was-deleted-since-this-is-what = { $path } was deleted since; this is what it was before.
said-is-not-in-the-newest-snapshot = { $path } is not in the newest snapshot of that time; this is the last that has it.
said-could-not-be-read-for-newer = { $path } could not be read for newer snapshots of that time; this is the last that has what was in it.
said-snapshot-is-partial-what-was-not = Snapshot { $id } is partial: what was not read yet is as it was before, or missing.
said-snapshot-has-what-was-chosen = Snapshot { $id } has what was chosen for it: everything else is as it was before, or missing.
said-snapshot-is-partial-and-delete = snapshot { $id } is partial, and --delete would remove what was not read yet; choose another snapshot, or restore without --delete
said-snapshot-has-only-what-was-chosen = snapshot { $id } has only what was chosen for it, and --delete would remove what was not read; choose another snapshot, or restore without --delete
said-is-in-no-snapshot-of-this = { $path } is in no snapshot of this machine; this is what { $name } backed up.
said-versions-are-kept-of-files-restore = versions are kept of files; restore a folder with --date
said-is-a-file-restore-it-with = { $path } is a file; restore it with --file
said-a-snapshot-has-its-own-date = a snapshot has its own date; leave out --date and --version
said-it-could-not-be-read-when = { $path }: it could not be read when it was backed up
said-its-list-of-parts-cannot-be = its list of parts cannot be read: { $why }
said-a-part-of-it-is-on = a part of it is on no destination that can be reached
said-a-part-of-it-cannot-be = a part of it cannot be read: { $why }
said-it-cannot-be-written = it cannot be written: { $why }
said-not-everything-that-was-written = not everything that was written there is on the disk: { $why }
said-it-was-not-finished = it was not finished
said-it-could-not-be-given = it could not be given { $what }
said-its-owner = its owner ({ $why })
said-its-owner-2 = its owner ({ $why }), { $also }
said-its-permissions = its permissions ({ $why }), { $also }
said-its-time = its time ({ $why }), { $also }
said-the-attribute = the attribute { $name } ({ $why }), { $also }
said-its-permissions-2 = its permissions ({ $why })
said-its-time-2 = its time ({ $why })
said-the-attribute-2 = the attribute { $name } ({ $why })
said-its-content-is-not-what-was = its content is not what was stored
said-it-cannot-be-read-again = it cannot be read again: { $why }
said-it-is-no-folder-and-takes = it is no folder, and takes the place of the folder to restore to
said-it-cannot-be-restored = it cannot be restored: { $why }
said-what-is-in-it-cannot-be = what is in it cannot be restored: { $why }
said-some-of-what-was-in-it = some of what was in it cannot be read: { $why }
said-what-was-in-it-was-never = what was in it was never backed up, because it could not be read
said-it-is-not-in-the-snapshot = it is not in the snapshot and cannot be removed: { $why }
said-another-file-system-is-mounted-there = another file system is mounted there, and nothing in it was deleted
said-another-file-system-is-mounted-in = another file system is mounted in it
said-it-was-never-backed-up-because = it was never backed up, because it could not be read
said-another-command-cleaned-there-while = another command cleaned there while it was read; do it again
said-the-file-of-which-it-is = the file of which it is another name could not be restored
said-the-target-ignores-case-and-is = the target ignores case, and `{ $name }` is in its place already; restore it to another target
said-it-cannot-be-made-another-name = it cannot be made another name of the same file: { $why }
said-what-was-damaged-could-not-be = What was damaged could not be healed: { $why }; run `cryptbackup check --read-data --heal`
said-what-was-damaged-was-not-healed = What was damaged was not healed, since another command is writing; run `cryptbackup check --read-data --heal`
said-damaged-pack-was-healed = { $n } damaged pack was healed
said-damaged-packs-were-healed = { $n } damaged packs were healed
said-could-not-be-healed-run-cryptbackup = { $n } could not be healed: { $why }; run `cryptbackup check --read-data --heal`
said-is-inside-where-backups-or-settings = { $path } is inside { $other }, where backups or settings are kept; choose another place with --destination
said-where-backups-or-settings-are-kept = { $other }, where backups or settings are kept, is inside { $path }, and --delete would remove it; restore without --delete, or to another place with --destination
said-an-earlier-part-failed = an earlier part failed
said-is-a-folder-and-versions-are = { $path } is a folder, and versions are kept of files: list it with `ls latest:{ $path }`, restore it with `restore --directory { $path }`
said-the-archive-was-ended = the archive was ended

## Drills

said-folders-at-or-near-it = folders at or near it cannot be read: { $why }
said-some-of-it-cannot-be = some of it cannot be read: { $why }
said-what-lies-on-this-disk = what lies on this disk is not what was written to it
said-byte-of-the-file-itself = byte { $n } of the file itself is not what was backed up, though its size and times say that nothing changed it
said-the-file-itself-cannot-be = the file itself cannot be read any more: { $why }
said-restored-it-differs-in = restored it differs in { $what }
said-its-permissions-3 = its permissions
said-its-owner-3 = its owner
said-its-time-3 = its time
said-the-attribute-3 = the attribute { $name }

## Cleaning

said-no-snapshot-of-would-be-left = no snapshot of { $path } would be left
said-is-a-whole-source-and-nothing = { $path } is a whole source, and nothing of it would be left
said-more-than-half-of-the-snapshots = more than half of the snapshots of { $path } would be removed at once
said-the-newest-snapshot-is-later-than = the newest snapshot is later than the clock of this machine
said-there-are-days-between-two-snapshots = there are { $n } days between two snapshots, far more than usual: has the clock of this machine jumped?
said-snapshot-is-damaged-and-what-it = snapshot { $id } is damaged ({ $why }), and what it needs cannot be told; `cryptbackup forget { $id }` gives it up
said-snapshot-cannot-be-read-whole-so = snapshot { $id } cannot be read whole ({ $why }), so it cannot be told what is still needed; `cryptbackup forget { $ids }` gives it up
said-something-could-not-be-read-so = something could not be read ({ $why }), so it cannot be told what is still needed; try again
said-a-snapshot-or-a-mark-was = a snapshot or a mark was made meanwhile; the next `clean` goes on
said-new-snapshots-appeared-again-and-again = new snapshots appeared again and again
said-what-is-to-be-kept-of = what is to be kept of old snapshots could not be stored: { $why }
said-pack-cannot-be-read = pack { $id } cannot be read: { $why }
said-which-a-purge-replaced-stays = snapshot { $id }, which a purge replaced, stays until the one in its place is here too: run `cryptbackup sync` when another destination is there, or give it up with `cryptbackup forget { $id }`
said-what-an-earlier-purge-put-in-place = what an earlier purge put in place of a snapshot is out of reach: purge again when it is back
said-it-is-out-of-reach = it is out of reach
said-it-is-out-of-reach-and-has = it is out of reach, and has snapshots that are nowhere else: purge again when it is back
said-another-machine-is-about-to-delete = another machine is about to delete packs that are still needed; it stores them anew first, so try again after its next backup
said-chunks-that-its-snapshots-need-are = { $n } chunks that its snapshots need are in none of its packs: run `cryptbackup check`
said-a-snapshot-that-was-here-is = a snapshot that was here is not in its listing ({ $id }): run `cryptbackup sync`, which copies from another destination, or `cryptbackup forget { $id }` if that was meant
said-snapshots-that-were-here-are-not = { $n } snapshots that were here are not in its listing ({ $id }): run `cryptbackup sync`, which copies from another destination, or `cryptbackup forget { $id }` if that was meant
said-of-packs-are-not-in-its = { $n } of { $all } packs are not in its listing any more: run `cryptbackup check`
said-is-damaged-and-what-it-decided = { $name } is damaged ({ $why }), and what it decided cannot be told: `cryptbackup check` says more
said-is-not-a-share-give-more = { $n } is not a share: give more than 0 and at most 100 percent

## Damage and how it is healed

said-it-is-missing = it is missing
said-it-was-here-and-is-gone = it was here and is gone
said-it-has-bytes-instead-of = it has { $n } bytes instead of { $other }
said-it-is-there-with-bytes-instead = it is there with { $n } bytes instead of { $other }
said-it-is-there-with-other-bytes = it is there with other bytes
said-its-bytes-do-not-match-its = its bytes do not match its name
said-its-bytes-are-not-those-that = its bytes are not those that were written
said-its-directory-cannot-be-read = its directory cannot be read: { $why }
said-its-directory-and-some-of-its = its directory and some of its blocks cannot be read
said-blocks-of-it-cannot-be-read = blocks of it cannot be read
said-it-is-known-to-be-damaged = it is known to be damaged
said-there-is-nothing-in-it = there is nothing in it
said-there-is-nothing-of-a-destination = there is nothing of a destination in it
said-there-is-no-key-slot-in = there is no key slot in it
said-there-is-no-key-ring-in = there is no key ring in it
said-there-is-no-key-ring = there is no key ring
said-there-is-no-config-object = there is no config object
said-this-folder-is-missing = this folder is missing
said-it-has-no-place-in-a = it has no place in a destination
said-the-space-kept-free-for-cleaning = the space kept free for cleaning a full disk is gone
said-it-does-not-have-the-number = it does not have the number of its name
said-its-number-is-not-that-of = its number is not that of its name
said-it-does-not-belong-to-this = it does not belong to this repository header
said-it-is-and-not-here = it is { $what } and not here
said-on-this-computer = on this computer
said-chunks-of-are-in-no-whole = { $n } chunks of { $path } are in no whole pack here
said-the-tree-of-cannot-be-read = the tree of { $path } cannot be read: { $why }
said-written-again = written again
said-it-is-whole = it is whole
said-taken-from = taken from [{ $name }]
said-taken-from-this-computer = taken from this computer
said-one-bit-was-wrong = one bit was wrong
said-removed-damaged-it-meant-nothing = removed: damaged it meant nothing
said-made-again-from-what-is-whole = made again from what is whole in it
said-put-together-from-damaged-copies = put together from { $n } damaged copies
said-chunks-that-could-be-read-were = { $n } chunks that could be read were stored anew, the others are lost
said-nothing-in-it-can-be-read = nothing in it can be read
said-no-destination-within-reach-has-it = no destination within reach has it whole
said-no-destination-within-reach-and-nothing = no destination within reach and nothing on this computer has it
said-what-it-needs-is-not-whole = what it needs is not whole within reach: { $why }
said-what-was-written-cannot-be-read = what was written cannot be read back unchanged
said-that-were-missing-were-taken-from = { $what } that were missing were taken from other destinations

## Stored bytes

said-it-was-sealed-with-another-key = it was sealed with another key
said-its-authentication-failed-the-stored-bytes = its authentication failed: the stored bytes were changed
said-the-key-of-epoch-is-not = the key of epoch { $n } is not in the key ring
said-it-does-not-decompress-to-its = it does not decompress to its recorded length
said-compression-failed = compression failed
said-the-content-of-a-chunk-does = the content of a chunk does not match its id
said-the-bytes-end-too-early = the bytes end too early
said-there-are-bytes-after-the-end = there are bytes after the end
said-the-checksum-does-not-match = the checksum does not match
said-the-first-bytes-are-not-those = the first bytes are not those of this type of object
said-a-reserved-field-is-not-zero = a reserved field is not zero
said-format-version-with-required-features-needs = format version { $n } with required features { $text } needs a newer program
said-it-ends-after-bytes-before-byte = it ends after { $n } bytes, before byte { $end }

## Watching

said-it-is-off-watch = it is off; `cryptbackup config set watch.enabled true` turns watching on
said-the-system-watches-no-more-folders = the system watches no more folders; a greater fs.inotify.max_user_watches (`sudo sysctl fs.inotify.max_user_watches=1048576`) lets it
said-it-is-not-there-watch = it is not there
said-it-lies-on-another-computer = it lies on another computer, which does not tell of changes
said-the-system-told-of-more-changes = the system told of more changes than it could remember
said-the-settings-changed = the settings changed
said-the-machine-slept = the machine slept
