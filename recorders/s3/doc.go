// Package s3 records the objects that one system leaves in a bucket for another, at Amazon S3 or whatever speaks its
// interface: MinIO, Ceph, Garage and others.
//
// The bucket is listed again and again (ListObjectsV2). An object that is new, or of which the ETag, the size or the
// modification time has changed, is read, and is one exchange on the file channel from [Recorder.From] to [Recorder.To],
// byte for byte, with the pseudo-fields :name (the key) and :mtime. The session is the day of its modification time, UTC.
// Uploads in parts are seen when they are complete, since S3 shows no object before. Empty objects of which the key ends
// with a slash, by which consoles show folders, are left alone. A control character in a key is written as in a URL.
//
// The object is read under the condition that it still has the ETag of the list (If-Match): one that is replaced meanwhile
// is taken by the next look in its new form. Versions that came and went between two looks cannot be known.
//
// # What is lost
//
// An object that vanished before it was read, or could not be read, is counted as dropped; a look that fails is tried
// again by the next, and the recording ends with the error when the last look fails too. An object of more than
// [Recorder.MaxBody] is kept with the fault [harness.FaultTruncated], and one that broke off with [harness.FaultReset].
// Deletions are no crossing and are not recorded.
//
// Requests are signed with Signature Version 4, or not at all without a key. The interface needs two calls, so there is no
// library: those that exist bring ten megabytes.
//
// Memory: one object at a time, at most [Recorder.MaxBody], and a few hundred bytes for each object below the prefix, of
// which there may be [Recorder.MaxObjects].
package s3
