// Package sftp records the files that cross over SFTP: it is a server of its own in front of a folder, to which the jobs of
// a vendor deliver, or a proxy in front of a real server.
//
// A file that a client uploads goes from [Tap.From] to [Tap.To]; one that it downloads goes the other way. Each is one
// exchange on the file channel, byte for byte, with the pseudo-field :name (slash-separated, relative to where the client begins),
// and :mtime where the client set the modification time of what it uploaded. The session is the client's connection:
// conn-1, conn-2 and so on, in order of arrival.
//
// An upload is finished when the client has closed the file and has not renamed it for [Tap.Settle]; then it has its
// last name. Names of uploads in progress (.tmp, .part, .filepart, .uploading, a trailing ~, a leading dot) wait until
// they get another name; those that never do are counted as dropped. A file that is continued (opened again without being
// emptied) is one crossing with its whole content. A download is recorded when the client closes the file.
//
// What did not cross whole is kept with a fault: [harness.FaultClientGone] when the connection ended or the client read
// only a part, [harness.FaultTruncated] beyond [Tap.MaxBody] or where the start of a continued file cannot be read. Other
// operations (list, remove, make a folder) are passed on and not recorded.
//
// The folder is opened with [os.Root]: no name and no symbolic link leads out of it, and clients cannot make links. The
// proxy verifies the host key of the real server. With a password and no identity of its own it logs in there with the
// name and the password that the client gave; neither is kept.
//
// Memory: at most [Tap.MaxBody] for each file that is open, or that waits for its last name.
package sftp
