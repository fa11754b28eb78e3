// Package container runs containers in a network of the run that has no way out.
//
// [Open] makes the network and a door in it: the door listens on the network's gateway, which only the containers of this
// network and this machine reach, and hands each connection to the loopback address of the watched system whose name it
// was opened for. [Network.Start] starts a server in the network and gives it a loopback address here, so that whatever
// feeds or asks it stays on loopback; [Network.Run] starts a program whose standard streams are the caller's.
//
// Where this machine has no address in the network, as with Docker Desktop, the port of a server is published on loopback
// through a second network, whose containers have a gateway that does not exist, and there is no door.
//
// Everything that is made bears labels that say which run of which process on which machine made it. [Network.Close]
// removes it. When the process is killed a watcher, which is a process of its own, removes it; what even the watcher could
// not remove is removed by the next Open on this machine, and listed by [Leftovers]. No container of a registry is needed
// for that, so the reaper of testcontainers is off.
//
// This package is the only importer of testcontainers-go and of the client of Docker below it.
package container
