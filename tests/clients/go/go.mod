module nsx-sim/clients

go 1.22

require github.com/vmware/go-vmware-nsxt v0.0.0-20220328155605-f49a14c1ef5f

require (
	github.com/antihax/optional v1.0.0 // indirect
	github.com/golang/protobuf v1.2.0 // indirect
	golang.org/x/net v0.0.0-20190108225652-1e06a53dbb7e // indirect
	golang.org/x/oauth2 v0.0.0-20190604053449-0f29369cfe45 // indirect
	google.golang.org/appengine v1.4.0 // indirect
)
