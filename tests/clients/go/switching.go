package main

import (
	"fmt"
	"time"

	"github.com/vmware/go-vmware-nsxt/common"
	"github.com/vmware/go-vmware-nsxt/manager"
)

// The tries and the pause between them wherever something is awaited.
const (
	tries = 50
	pause = 100 * time.Millisecond
)

// wanted is a logical port to be made: only the last parts of its addresses differ.
func wanted(segment string, last int, tags ...common.Tag) manager.LogicalPort {
	return manager.LogicalPort{
		LogicalSwitchId: segment,
		DisplayName:     fmt.Sprintf("go-port-%d", last),
		AdminState:      "UP",
		Tags:            tags,
		AddressBindings: []manager.PacketAddressClassifier{{
			IpAddress:  fmt.Sprintf("10.12.0.%d", last),
			MacAddress: fmt.Sprintf("02:50:56:00:02:%02x", last),
		}},
		Attachment: &manager.LogicalPortAttachment{
			AttachmentType: "VIF",
			Id:             fmt.Sprintf("%s-vif-%d", segment, last),
		},
	}
}

// segment makes a switch on the overlay zone.
func segment(to *chapter, name string) string {
	body := manager.LogicalSwitch{
		DisplayName:     name,
		AdminState:      "UP",
		ReplicationMode: "MTEP",
		TransportZoneId: zone(to).Id,
	}
	created, reply, err := to.LogicalSwitchingApi.CreateLogicalSwitch(to.ctx, body)
	must(err)
	equal(reply.StatusCode, 201, "status")
	return created.Id
}

// port makes a port as wanted.
func port(to *chapter, body manager.LogicalPort) manager.LogicalPort {
	created, reply, err := to.LogicalSwitchingApi.CreateLogicalPort(to.ctx, body)
	must(err)
	equal(reply.StatusCode, 201, "status")
	return created
}

// remove deletes a switch with all its ports, and sees that it is gone.
func remove(to *chapter, segment string) {
	all := optional{"cascade": true, "detach": true}
	equal(bare(to.LogicalSwitchingApi.DeleteLogicalSwitch(to.ctx, segment, all)), 200, "status")
	equal(bare(to.LogicalSwitchingApi.DeleteLogicalSwitch(to.ctx, segment, all)), 404, "status")
}

func switching(to *chapter) {
	api := to.LogicalSwitchingApi
	var own string
	to.step("a switch is created, the vlan 0 of the client left aside, and realized", func() {
		own = segment(to, "go-switch")
		for try := 0; ; try++ {
			state := got(api.GetLogicalSwitchState(to.ctx, own))
			equal(state.FailureCode, int64(0), "failure_code")
			if state.State == "success" {
				break
			}
			equal(try < tries, true, "realized in time")
			time.Sleep(pause)
		}
	})
	to.step("a switch is updated with its revision; a stale one is 412", func() {
		body := got(api.GetLogicalSwitch(to.ctx, own))
		body.DisplayName = "go-renamed"
		changed := got(api.UpdateLogicalSwitch(to.ctx, own, body))
		equal(changed.Revision, body.Revision+1, "the revision")
		equal(status(api.UpdateLogicalSwitch(to.ctx, own, body)), 412, "status")
	})
	to.step("a switch of an unknown zone is 404 with the missing identifier", func() {
		body := manager.LogicalSwitch{AdminState: "UP", TransportZoneId: "no-such-zone"}
		equal(status(api.CreateLogicalSwitch(to.ctx, body)), 404, "status")
		equal(to.wire.code(), 600, "error_code")
	})
	ports(to, own)
	to.step("a switch is deleted with its ports; a second delete is 404", func() {
		remove(to, own)
		equal(status(api.GetLogicalSwitch(to.ctx, own)), 404, "status")
	})
}

func ports(to *chapter, segment string) {
	api := to.LogicalSwitchingApi
	const all = 5
	made := make([]manager.LogicalPort, 0, all)
	to.step("a parent port and its children are created with tags, bindings and context", func() {
		body := wanted(segment, 1, common.Tag{Scope: "role", Tag: "node"})
		body.Attachment.Context = &manager.AttachmentContext{
			ResourceType: "VifAttachmentContext", VifType: "PARENT", AllocateAddresses: "None",
		}
		made = append(made, port(to, body))
		for last := 2; last <= all; last++ {
			// The client's type for the context has no place for what a child's needs.
			child := wanted(segment, last, common.Tag{Scope: "role", Tag: "pod"})
			to.wire.send(map[string]any{
				"logical_switch_id": segment, "admin_state": "UP", "display_name": child.DisplayName,
				"tags": child.Tags, "address_bindings": child.AddressBindings,
				"attachment": map[string]any{
					"id": child.Attachment.Id, "attachment_type": "VIF",
					"context": map[string]any{
						"resource_type": "VifAttachmentContext", "vif_type": "CHILD",
						"parent_vif_id": body.Attachment.Id, "traffic_tag": last, "app_id": "app",
						"allocate_addresses": "None",
					},
				},
			})
			made = append(made, port(to, manager.LogicalPort{}))
		}
		read := got(api.GetLogicalPort(to.ctx, made[1].Id))
		equal(read.Attachment.Context.VifType, "CHILD", "vif_type")
		equal(read.AddressBindings[0].IpAddress, "10.12.0.2", "the address")
		equal(len(read.SwitchingProfileIds), 6, "profiles filled in")
	})
	to.step("each profile of a port is the system's, as the provider wants it", func() {
		for _, entry := range made[0].SwitchingProfileIds {
			profile := got(api.GetSwitchingProfile(to.ctx, entry.Value))
			equal(profile.SystemOwned, true, profile.DisplayName)
			equal(profile.ResourceType, entry.Key, profile.DisplayName)
		}
	})
	to.step("ports are listed by attachment, parent and switch, and page by page", func() {
		list := func(by optional) manager.LogicalPortListResult {
			return got(api.ListLogicalPorts(to.ctx, by))
		}
		equal(list(optional{"attachmentId": made[0].Attachment.Id}).Results[0].Id, made[0].Id, "id")
		children := list(optional{"parentVifId": made[0].Attachment.Id})
		equal(children.ResultCount, int64(all-1), "children")
		// As the provider walks: until it has seen as many as the first page said there are.
		by := optional{"logicalSwitchId": segment, "pageSize": int64(2)}
		seen := map[string]bool{}
		for pages := 0; pages < all; pages++ {
			page := list(by)
			equal(page.ResultCount, int64(all), "result_count")
			for _, own := range page.Results {
				seen[own.Id] = true
			}
			if page.Cursor == "" {
				break
			}
			by["cursor"] = page.Cursor
		}
		equal(len(seen), all, "ports on all pages")
	})
	to.step("a port is updated; a stale one is 412; what is left out is detached", func() {
		body := got(api.GetLogicalPort(to.ctx, made[4].Id))
		body.Description, body.Attachment = "changed", nil
		changed := got(api.UpdateLogicalPort(to.ctx, body.Id, body))
		equal(changed.Attachment == nil, true, "detached")
		equal(status(api.UpdateLogicalPort(to.ctx, body.Id, body)), 412, "status")
	})
	to.step("a port's state and status are told", func() {
		state := got(api.GetLogicalPortState(to.ctx, made[0].Id))
		equal(state.Id, made[0].Id, "id")
		equal(len(state.TransportNodeIds), 1, "transport nodes")
		equal(got(api.GetLogicalPortOperationalStatus(to.ctx, made[0].Id, nil)).Status, "UP", "status")
	})
	to.step("an attached port is deleted only with detach; a second delete is 404", func() {
		equal(bare(api.DeleteLogicalPort(to.ctx, made[1].Id, nil)), 400, "status")
		equal(to.wire.code(), 8402, "error_code")
		detach := optional{"detach": true}
		done(api.DeleteLogicalPort(to.ctx, made[1].Id, detach))
		equal(bare(api.DeleteLogicalPort(to.ctx, made[1].Id, detach)), 404, "status")
	})
}
