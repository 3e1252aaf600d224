// Command clients drives a manager with VMware's own Go client, go-vmware-nsxt, as its Terraform
// provider does. The manager is named by NSX_SIM_URL, NSX_SIM_USER and NSX_SIM_PASSWORD.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	nsxt "github.com/vmware/go-vmware-nsxt"
	"github.com/vmware/go-vmware-nsxt/manager"
)

const overlayZone = "1-transportzone"

// chapter is what the steps of one subject share.
type chapter struct {
	*steps
	*nsxt.APIClient
	ctx  context.Context
	wire *wire
}

// optional names the parameters of a query as the client spells them.
type optional = map[string]interface{}

func main() {
	own := &steps{}
	var to *chapter
	own.step("NewAPIClient opens a session", func() {
		to = connect(own)
	})
	if to != nil {
		startup(to)
		switching(to)
		grouping(to)
		services(to)
		firewall(to)
		rules(to)
		traceflow(to)
		absent(to)
	}
	if own.failed > 0 {
		os.Exit(1)
	}
}

func configuration() *nsxt.Configuration {
	cfg := nsxt.NewConfiguration()
	cfg.BasePath = os.Getenv("NSX_SIM_URL") + "/api/v1"
	cfg.UserName = os.Getenv("NSX_SIM_USER")
	cfg.Password = os.Getenv("NSX_SIM_PASSWORD")
	cfg.Insecure = true
	return cfg
}

// connect makes a client as the Terraform provider does: basic authentication, cookie and token
// together on every call.
func connect(own *steps) *chapter {
	cfg := configuration()
	must(nsxt.InitHttpClient(cfg))
	tap := &wire{next: cfg.HTTPClient.Transport}
	cfg.HTTPClient.Transport = tap
	client, err := nsxt.NewAPIClient(cfg)
	must(err)
	equal(strings.HasPrefix(cfg.DefaultHeader["Cookie"], "JSESSIONID="), true, "a session cookie")
	equal(cfg.DefaultHeader["X-XSRF-TOKEN"] != "", true, "a token")
	return &chapter{own, client, client.Context, tap}
}

func startup(to *chapter) {
	to.step("the node tells a version that opens the features of 2.5", func() {
		node := got(to.NsxComponentAdministrationApi.ReadNodeProperties(to.ctx))
		equal(strings.HasPrefix(node.NodeVersion, "2.5.1."), true, node.NodeVersion)
		cluster := got(to.NsxComponentAdministrationApi.ReadClusterStatus(to.ctx, nil))
		equal(cluster.MgmtClusterStatus.Status, "STABLE", "the management cluster")
	})
	to.step("the session alone, without basic authentication, is let in", func() {
		got(to.NsxComponentAdministrationApi.ReadNodeProperties(context.Background()))
	})
	to.step("a wrong password gets no session and 403", func() {
		cfg := configuration()
		cfg.Password = "wrong"
		stranger := &nsxt.APIClient{}
		silently(func() { stranger, _ = nsxt.NewAPIClient(cfg) })
		equal(cfg.DefaultHeader["Cookie"], "", "the cookie")
		api := stranger.NsxComponentAdministrationApi
		equal(status(api.ReadNodeProperties(stranger.Context)), 403, "status")
	})
	to.step("the zones are told with their types", func() {
		zones := got(to.NetworkTransportApi.ListTransportZones(to.ctx, nil))
		equal(zones.ResultCount, int64(len(zones.Results)), "result_count")
		equal(zone(to).TransportType, "OVERLAY", "the type")
	})
	to.step("what the provider asks for to see that it is let in is 404, not 401 or 403", func() {
		equal(status(to.ServicesApi.ReadLoadBalancerPool(to.ctx, "Dummy")), 404, "status")
	})
}

// absent says which of the client's other subjects the manager does not model yet: those that the
// provider and the exporters built on this client ask for.
func absent(to *chapter) {
	say := func(name string, answer int) {
		if answer != 200 {
			fmt.Printf("NOTE go: %s is answered %d\n", name, answer)
		}
	}
	routing, node := to.LogicalRoutingAndServicesApi, to.NsxComponentAdministrationApi
	say("ListTransportNodes", status(to.NetworkTransportApi.ListTransportNodes(to.ctx, nil)))
	say("ListEdgeClusters", status(to.NetworkTransportApi.ListEdgeClusters(to.ctx, nil)))
	say("ListClusterNodeConfigs", status(node.ListClusterNodeConfigs(to.ctx, nil)))
	say("ListLogicalRouters", status(routing.ListLogicalRouters(to.ctx, nil)))
	say("ListIpPools", status(to.PoolManagementApi.ListIpPools(to.ctx, nil)))
}

// zone is the overlay zone, found by name as the provider's data source does.
func zone(to *chapter) manager.TransportZone {
	for _, own := range got(to.NetworkTransportApi.ListTransportZones(to.ctx, nil)).Results {
		if own.DisplayName == overlayZone {
			return own
		}
	}
	panic(failure("no zone is named " + overlayZone))
}
