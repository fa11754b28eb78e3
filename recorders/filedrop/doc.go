// Package filedrop records the files that one system leaves in a folder for another.
//
// A file is taken when it is finished: when it was renamed into place from a name that was seen before in the same
// folder tree, or when its size and modification time have not changed for [Drop.Settle]. It is recorded byte for byte
// as the request of an exchange on the file channel, with the pseudo-fields :name (slash-separated, relative to the
// folder) and :mtime. A file that changes while it is read is not finished; it is read again when it has settled.
//
// Sub-folders are watched too. Names of uploads in progress (.tmp, .part, .filepart, .uploading, a trailing ~) and hidden names
// (a leading dot, also of a folder) are left alone until they get another name. A file that is rewritten is recorded
// again when its content is new. A file that comes back after it was removed is a new crossing.
//
// Files are opened below the folder only ([os.Root]): a symbolic link that leads outside of it is refused and counted.
// Every file that began and was not kept is counted with a reason: one that vanished before it was read, that could
// not be read, or that was still being written when the recording stopped.
//
// Memory: one file at a time, at most [Drop.MaxBody], and a few hundred bytes for each file in the folder.
package filedrop
