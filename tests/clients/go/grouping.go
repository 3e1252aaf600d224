package main

import (
	"net/http"

	nsxt "github.com/vmware/go-vmware-nsxt"
	"github.com/vmware/go-vmware-nsxt/common"
	"github.com/vmware/go-vmware-nsxt/manager"
)

// byTag is the criterion of ports that carry a tag.
func byTag(scope, tag string) []manager.NsGroupTagExpression {
	return []manager.NsGroupTagExpression{{
		ResourceType: "NSGroupTagExpression", TargetType: "LogicalPort", Scope: scope, Tag: tag,
	}}
}

// members names ports one by one.
func members(ids ...string) []manager.NsGroupSimpleExpression {
	return each(ids, func(id string) manager.NsGroupSimpleExpression {
		return manager.NsGroupSimpleExpression{
			ResourceType: "NSGroupSimpleExpression", TargetType: "LogicalPort",
			TargetProperty: "id", Op: "EQUALS", Value: id,
		}
	})
}

// group makes a group.
func group(to *chapter, body manager.NsGroup) manager.NsGroup {
	created, reply, err := to.GroupingObjectsApi.CreateNSGroup(to.ctx, body)
	must(err)
	equal(reply.StatusCode, 201, "status")
	return created
}

// effective is the ids of the ports in a group.
func effective(to *chapter, group string) []string {
	list := got(to.GroupingObjectsApi.GetEffectiveLogicalPortMembers(to.ctx, group, nil))
	return each(list.Results, func(own common.ResourceReference) string { return own.TargetId })
}

func grouping(to *chapter) {
	api := to.GroupingObjectsApi
	var net string
	var ids []string
	to.step("three ports are made to be grouped", func() {
		net = segment(to, "go-groups")
		for last, app := range []string{"web", "web", "db"} {
			made := port(to, wanted(net, last+1, common.Tag{Scope: "app", Tag: app}))
			ids = append(ids, made.Id)
		}
	})
	var web, static, nested manager.NsGroup
	to.step("a group by tag has the tagged ports and their addresses", func() {
		web = group(to, manager.NsGroup{DisplayName: "go-web", MembershipCriteria: byTag("app", "web")})
		same(effective(to, web.Id), ids[:2], "members")
		addresses := got(api.GetEffectiveIPAddressMembers(to.ctx, web.Id, nil)).Results
		same(addresses, []string{"10.12.0.1", "10.12.0.2"}, "addresses")
		kinds := got(api.GetMemberTypes(to.ctx, web.Id, nil))
		equal(kinds.ResultCount, int64(len(kinds.Results)), "result_count")
		machines := got(api.GetEffectiveVirtualMachineMembers(to.ctx, web.Id, nil)).Results
		equal(len(machines), 0, "virtual machines")
	})
	to.step("members are added and removed without a revision", func() {
		static = group(to, manager.NsGroup{DisplayName: "go-static"})
		list := manager.NsGroupSimpleExpressionList{Members: members(ids[1:]...)}
		changed := got(api.AddOrRemoveNsGroupSimpleExpression(to.ctx, static.Id, list, "ADD_MEMBERS"))
		equal(changed.MemberCount, int64(2), "member_count")
		same(effective(to, static.Id), ids[1:], "members")
		list.Members = members(ids[1])
		got(api.AddOrRemoveNsGroupSimpleExpression(to.ctx, static.Id, list, "REMOVE_MEMBERS"))
		same(effective(to, static.Id), ids[2:], "members")
	})
	to.step("an unknown action is 400", func() {
		list := manager.NsGroupSimpleExpressionList{Members: members(ids[1])}
		reply := status(api.AddOrRemoveNsGroupSimpleExpression(to.ctx, static.Id, list, "add_members"))
		equal(reply, 400, "status")
	})
	to.step("a group in a group lends it its members, and cannot be deleted without force", func() {
		inner := members(web.Id)
		inner[0].TargetType = "NSGroup"
		nested = group(to, manager.NsGroup{DisplayName: "go-nested", Members: inner})
		same(effective(to, nested.Id), ids[:2], "members")
		equal(bare(api.DeleteNSGroup(to.ctx, web.Id, nil)), 400, "status")
	})
	to.step("members are read with what they refer to", func() {
		read := got(api.ReadNSGroup(to.ctx, nested.Id, optional{"populateReferences": true}))
		equal(read.Members[0].TargetResource.TargetDisplayName, "go-web", "the name")
	})
	to.step("a group is updated with its revision; a stale one is 412", func() {
		body := got(api.ReadNSGroup(to.ctx, web.Id, nil))
		body.MembershipCriteria = byTag("app", "db")
		got(api.UpdateNSGroup(to.ctx, web.Id, body))
		same(effective(to, nested.Id), ids[2:], "members")
		equal(status(api.UpdateNSGroup(to.ctx, web.Id, body)), 412, "status")
	})
	to.step("of many updates at once with one revision exactly one is made", func() {
		const writers = 16
		body := got(api.ReadNSGroup(to.ctx, static.Id, nil))
		answers := make(chan int, writers)
		for range [writers]struct{}{} {
			// The wire under the shared client is for one call at a time.
			other, err := nsxt.NewAPIClient(configuration())
			must(err)
			go func() {
				_, reply, _ := other.GroupingObjectsApi.UpdateNSGroup(other.Context, static.Id, body)
				if reply == nil {
					reply = &http.Response{}
				}
				answers <- reply.StatusCode
			}()
		}
		count := map[int]int{}
		for range [writers]struct{}{} {
			count[<-answers]++
		}
		equal(count, map[int]int{200: 1, 412: writers - 1}, "answers by status")
		equal(got(api.ReadNSGroup(to.ctx, static.Id, nil)).Revision, body.Revision+1, "the revision")
	})
	to.step("groups are listed by the types of their members", func() {
		list := got(api.ListNSGroups(to.ctx, optional{"memberTypes": "NSGroup"}))
		equal(each(list.Results, func(own manager.NsGroup) string { return own.Id }), []string{nested.Id}, "ids")
	})
	to.step("groups are deleted; a second delete and a read are 404", func() {
		force := optional{"force": true}
		for _, own := range []manager.NsGroup{web, static, nested} {
			done(api.DeleteNSGroup(to.ctx, own.Id, force))
			equal(bare(api.DeleteNSGroup(to.ctx, own.Id, force)), 404, "status")
			equal(status(api.ReadNSGroup(to.ctx, own.Id, nil)), 404, "status")
		}
		remove(to, net)
	})
}
