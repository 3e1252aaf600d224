package main

import (
	"github.com/vmware/go-vmware-nsxt/common"
	"github.com/vmware/go-vmware-nsxt/manager"
)

// refer is a reference as a rule's parts and a group's members have it.
func refer(kind, id string) common.ResourceReference {
	return common.ResourceReference{TargetType: kind, TargetId: id}
}

// tcp makes a service of one TCP port.
func tcp(to *chapter, name, port string) manager.L4PortSetNsService {
	body := manager.L4PortSetNsService{
		NsService: manager.NsService{DisplayName: name},
		NsserviceElement: manager.L4PortSetNsServiceEntry{
			ResourceType: "L4PortSetNSService", L4Protocol: "TCP", DestinationPorts: []string{port},
		},
	}
	return got(to.GroupingObjectsApi.CreateL4PortSetNSService(to.ctx, body))
}

func services(to *chapter) {
	api := to.GroupingObjectsApi
	to.step("an IP set is created, updated, listed and deleted", func() {
		body := manager.IpSet{DisplayName: "go-set", IpAddresses: []string{"10.0.0.0/8", "10.1.1.1"}}
		own := got(api.CreateIPSet(to.ctx, body))
		equal(own.IpAddresses, body.IpAddresses, "addresses, as sent")
		own.IpAddresses = []string{"fd00::/8"}
		changed := got(api.UpdateIPSet(to.ctx, own.Id, own))
		equal(changed.Revision, int64(1), "the revision")
		equal(status(api.UpdateIPSet(to.ctx, own.Id, own)), 412, "status")
		own.Revision, own.IpAddresses = changed.Revision, []string{"10.0.0.0/8", "fd00::/8"}
		equal(status(api.UpdateIPSet(to.ctx, own.Id, own)), 400, "status of two families")
		equal(len(got(api.ListIPSets(to.ctx, nil)).Results), 1, "sets")
		done(api.DeleteIPSet(to.ctx, own.Id, nil))
		equal(bare(api.DeleteIPSet(to.ctx, own.Id, nil)), 404, "status")
	})
	to.step("an IP set without a name is shown by its id", func() {
		own := got(api.CreateIPSet(to.ctx, manager.IpSet{IpAddresses: []string{"10.1.1.1"}}))
		equal(own.DisplayName, own.Id, "the name")
		done(api.DeleteIPSet(to.ctx, own.Id, nil))
	})
	to.step("a MAC set takes addresses one by one", func() {
		own := got(api.CreateMACSet(to.ctx, manager.MacSet{DisplayName: "go-macs"}))
		got(api.AddMACAddress(to.ctx, own.Id, manager.MacAddressElement{MacAddress: "02:50:56:00:00:01"}))
		equal(len(got(api.GetMACAddresses(to.ctx, own.Id)).Results), 1, "addresses")
		done(api.RemoveMACAddress(to.ctx, own.Id, "02:50:56:00:00:01"))
		equal(len(got(api.GetMACAddresses(to.ctx, own.Id)).Results), 0, "addresses")
		done(api.DeleteMACSet(to.ctx, own.Id, nil))
	})
	to.step("services of each sort are created, read, updated and deleted", func() {
		ports := tcp(to, "go-8080", "8080")
		ports.NsserviceElement.DestinationPorts = []string{"8080", "9000-9010"}
		changed := got(api.UpdateL4PortSetNSService(to.ctx, ports.Id, ports))
		equal(changed.NsserviceElement.DestinationPorts[1], "9000-9010", "the range")
		ping := got(api.CreateIcmpTypeNSService(to.ctx, manager.IcmpTypeNsService{
			NsserviceElement: manager.IcmpTypeNsServiceEntry{
				ResourceType: "ICMPTypeNSService", Protocol: "ICMPv4", IcmpType: 8,
			},
		}))
		equal(got(api.ReadIcmpTypeNSService(to.ctx, ping.Id)).NsserviceElement.IcmpType, int64(8), "type")
		gre := got(api.CreateIpProtocolNSService(to.ctx, manager.IpProtocolNsService{
			NsserviceElement: manager.IpProtocolNsServiceEntry{
				ResourceType: "IPProtocolNSService", ProtocolNumber: 47,
			},
		}))
		ftp := got(api.CreateAlgTypeNSService(to.ctx, manager.AlgTypeNsService{
			NsserviceElement: manager.AlgTypeNsServiceEntry{
				ResourceType: "ALGTypeNSService", Alg: "FTP", DestinationPorts: []string{"21"},
			},
		}))
		igmp := got(api.CreateIgmpTypeNSService(to.ctx, manager.IgmpTypeNsService{
			NsserviceElement: manager.IgmpTypeNsServiceEntry{ResourceType: "IGMPTypeNSService"},
		}))
		ether := got(api.CreateEtherTypeNSService(to.ctx, manager.EtherTypeNsService{
			NsserviceElement: manager.EtherTypeNsServiceEntry{
				ResourceType: "EtherTypeNSService", EtherType: 0x8100,
			},
		}))
		for _, id := range []string{ports.Id, ping.Id, gre.Id, ftp.Id, igmp.Id, ether.Id} {
			done(api.DeleteNSService(to.ctx, id, nil))
			equal(bare(api.DeleteNSService(to.ctx, id, nil)), 404, "status")
		}
	})
	to.step("a system service is found by name and cannot be deleted", func() {
		list := got(api.ListNSServices(to.ctx, optional{"defaultService": true}))
		for _, own := range list.Results {
			if own.DisplayName == "HTTPS" {
				equal(own.SystemOwned, true, "_system_owned")
				equal(bare(api.DeleteNSService(to.ctx, own.Id, nil)), 400, "status")
				return
			}
		}
		panic(failure("no service is named HTTPS"))
	})
	to.step("a service in a group of services is 409 to delete, and goes after the group", func() {
		own := tcp(to, "go-443", "443")
		list := manager.NsServiceGroup{
			DisplayName: "go-services", Members: []common.ResourceReference{refer("NSService", own.Id)},
		}
		services := got(api.CreateNSServiceGroup(to.ctx, list))
		equal(services.ServiceType, "NON_ETHER", "service_type")
		equal(services.Members[0].TargetDisplayName, "go-443", "the member's name")
		equal(bare(api.DeleteNSService(to.ctx, own.Id, nil)), 409, "status")
		done(api.DeleteNSServiceGroup(to.ctx, services.Id, nil))
		done(api.DeleteNSService(to.ctx, own.Id, nil))
	})
}
